// Who owns which partition: a pure function of the members and of what was before.
//   G1. Every partition has exactly one owner while there is a member.
//   G2. Members own the same number of partitions, give or take one.
//   G3. Sticky: a partition moves only when its owner is gone or owns more than its share; it goes to a standby first.
//   G4. Standbys are members other than the owner, as many as asked for and there are, spread evenly; those that are
//       standbys already stay so.

export interface Placement {
  readonly owner: string
  readonly standbys: readonly string[]
}

/** The placement of each partition, by number; empty when there are no members. */
export function place(
  members: readonly string[],
  partitions: number,
  standbys: number,
  before: readonly Placement[],
): readonly Placement[] {
  if (members.length === 0) return []
  const owners = placeOwners(members, partitions, before)
  const load = new Map(members.map((member) => [member, 0]))
  return owners.map((owner, partition) => {
    const known = before[partition]
    const warm = known === undefined ? [] : [known.owner, ...known.standbys]
    const candidates = members
      .filter((member) => member !== owner)
      .sort((a, b) => Number(warm.includes(b)) - Number(warm.includes(a)) || load.get(a)! - load.get(b)!)
    const chosen = candidates.slice(0, standbys) // G4
    for (const member of chosen) load.set(member, load.get(member)! + 1)
    return { owner, standbys: chosen }
  })
}

function placeOwners(members: readonly string[], partitions: number, before: readonly Placement[]): readonly string[] {
  const owned = new Map<string, number>(members.map((member) => [member, 0]))
  const least = Math.floor(partitions / members.length)
  let above = partitions % members.length // G2: so many members own one more than `least`
  const owners = new Map<number, string>()

  function give(partition: number, member: string): void {
    const count = owned.get(member)! + 1
    owned.set(member, count)
    if (count === least + 1) above--
    owners.set(partition, member)
  }
  function hasRoom(member: string): boolean {
    const count = owned.get(member)
    return count !== undefined && (count < least || (count === least && above > 0))
  }

  for (const [partition, { owner }] of before.entries()) {
    if (partition < partitions && hasRoom(owner)) give(partition, owner) // G3
  }
  for (let partition = 0; partition < partitions; partition++) {
    if (owners.has(partition)) continue
    const warm = before[partition]?.standbys.find(hasRoom)
    give(partition, warm ?? members.filter(hasRoom).sort((a, b) => owned.get(a)! - owned.get(b)!)[0]!) // G1
  }
  return Array.from({ length: partitions }, (_, partition) => owners.get(partition)!)
}
