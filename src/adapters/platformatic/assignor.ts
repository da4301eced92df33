// Who owns which partition, as the member that leads the group computes it from what the members say they own.
//   A1. Every partition has one owner.
//   A2. Members own the same number of partitions, give or take one.
//   A3. A partition stays where it is unless its owner is gone or owns more than its share.
// Of two members that claim one partition the one with the later generation is believed: the other slept meanwhile.

export interface Member {
  readonly id: string
  /** What it had when it joined, and in which generation it was given that. */
  readonly owned: readonly number[]
  readonly generation: number
}

/** The partitions of each member, by id. */
export function assign(members: readonly Member[], partitions: number): ReadonlyMap<string, readonly number[]> {
  // The same whatever order the coordinator names the members in.
  const sorted = members.toSorted((a, b) => b.generation - a.generation || (a.id < b.id ? -1 : 1))
  const assigned = new Map<string, number[]>(sorted.map(({ id }) => [id, []]))
  if (sorted.length === 0) return assigned
  const least = Math.floor(partitions / sorted.length)
  const free = new Set(Array.from({ length: partitions }, (_, partition) => partition))
  let above = partitions % sorted.length // A2: so many members own one more than `least`

  for (const { id, owned } of sorted) {
    const kept = assigned.get(id)!
    for (const partition of owned.toSorted((a, b) => a - b)) {
      if (!free.has(partition) || kept.length > least || (kept.length === least && above === 0)) continue
      if (kept.length === least) above--
      kept.push(partition) // A3
      free.delete(partition)
    }
  }
  for (const partition of free) {
    const poorest = sorted.map(({ id }) => assigned.get(id)!).reduce((a, b) => (b.length < a.length ? b : a))
    poorest.push(partition) // A1
  }
  for (const own of assigned.values()) own.sort((a, b) => a - b)
  return assigned
}
