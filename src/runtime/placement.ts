// Who owns which partition and who keeps a warm copy of it, as one member of the group computes it from what all of them
// say about themselves. Pure: whoever computes it, and in whatever order the members are named, it is the same.
//   A1. Every partition has one owner.
//   A2. Members are due the same number of partitions, give or take one.
//   A3. A partition stays where it is unless its owner is gone or owns more than its share; it goes to the nearest copy.
//   A4. It goes to a member whose copy is not near only where there is no near one: until then whoever is due makes one.
//   A5. Standbys are other members than the owner, as many as asked for and there are, spread evenly. A near copy is
//       given up only for another that is near.
// Of two members that claim one partition the one with the later generation is believed: the other slept meanwhile.

/** What a member says about itself when it joins. */
export interface Member {
  readonly id: string
  /** What it had when it joined, and in which generation it was given that. */
  readonly owned: readonly number[]
  readonly standby: readonly number[]
  readonly generation: number
  /** By partition, how many records of the changelog its copy lacks; of what it does not say, none. */
  readonly lacks: readonly number[]
  /** How many copies of each partition it was told to ask for, beside the owner's. */
  readonly standbys: number
}

/** What a member is given. */
export interface Share {
  readonly owned: number[]
  /** Partitions to keep a warm copy of. */
  readonly standby: number[]
  /** Those of `standby` that are waited for: once they are near, the members share anew. */
  readonly warming: number[]
}

/** A copy that lacks no more than this is near: it is read in a fraction of a second. */
export const nearRecords = 20_000

const lackOf = (member: Member, partition: number): number => member.lacks[partition] ?? 0
const isNear = (member: Member, partition: number): boolean => lackOf(member, partition) <= nearRecords
const hasCopy = ({ owned, standby }: Member, partition: number): boolean =>
  owned.includes(partition) || standby.includes(partition)

/** The share of each member, by id. */
export function place(members: readonly Member[], partitions: number): ReadonlyMap<string, Share> {
  const sorted = members.toSorted((a, b) => b.generation - a.generation || (a.id < b.id ? -1 : 1))
  const shares = new Map<string, Share>(sorted.map(({ id }) => [id, { owned: [], standby: [], warming: [] }]))
  if (sorted.length === 0) return shares
  const owners: Member[] = []
  const heirs: Member[] = []
  for (const [partition, { holder, heir }] of inherit(sorted, partitions).entries()) {
    heirs.push(heir)
    const nearest = (): Member | undefined =>
      least(
        sorted.filter((member) => isNear(member, partition)),
        (member) => shares.get(member.id)!.owned.length,
      )
    const owner = isNear(heir, partition) ? heir : (holder ?? nearest() ?? heir) // A4
    owners.push(owner)
    shares.get(owner.id)!.owned.push(partition)
  }
  placeStandbys(sorted, owners, shares)
  for (const [partition, heir] of heirs.entries()) if (heir !== owners[partition]) warm(shares.get(heir.id)!, partition) // A4
  return shares
}

interface Inheritance {
  /** Who has it now; undefined: its owner is gone. */
  readonly holder: Member | undefined
  /** Who is due to have it. */
  readonly heir: Member
}

/** A2, A3. @param sorted the later generations first */
function inherit(sorted: readonly Member[], partitions: number): readonly Inheritance[] {
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  const holders = all.map((partition) => sorted.find(({ owned }) => owned.includes(partition)))
  const fewest = Math.floor(partitions / sorted.length)
  let above = partitions % sorted.length // so many members own one more
  const counts = new Map<Member, number>(sorted.map((member) => [member, 0]))
  const heirs: Member[] = []
  const hasRoom = (member: Member): boolean => {
    const count = counts.get(member)!
    return count < fewest || (count === fewest && above > 0)
  }
  const give = (partition: number, member: Member): void => {
    const count = counts.get(member)!
    if (count === fewest) above--
    counts.set(member, count + 1)
    heirs[partition] = member
  }
  const isNearAnother = (partition: number): boolean =>
    sorted.some((member) => member !== holders[partition] && isNear(member, partition))

  // Who owns too much gives away what another has near.
  for (const partition of all.toSorted((a, b) => Number(isNearAnother(a)) - Number(isNearAnother(b)) || a - b)) {
    const holder = holders[partition]
    if (holder !== undefined && hasRoom(holder)) give(partition, holder)
  }
  const free = all.filter((partition) => heirs[partition] === undefined)
  const withRoom = (partition: number): readonly Member[] =>
    sorted.filter(hasRoom).toSorted((a, b) => distance(a, partition) - distance(b, partition))
  const isWanted = (partition: number): boolean => withRoom(partition).some((member) => isNear(member, partition))
  // Room is first for what is near somewhere.
  for (const partition of free.toSorted((a, b) => Number(isWanted(b)) - Number(isWanted(a)) || a - b)) {
    const [nearest] = withRoom(partition)
    const candidates = withRoom(partition).filter(
      (member) => distance(member, partition) === distance(nearest!, partition),
    )
    give(
      partition,
      least(candidates, (member) => counts.get(member)!)!,
    )
  }
  return all.map((partition) => ({ holder: holders[partition], heir: heirs[partition]! }))
}

/** Copies that are near are as good as each other. */
const distance = (member: Member, partition: number): number =>
  isNear(member, partition) ? 0 : lackOf(member, partition)

/**
 * A5. What is kept stays, then what is missing is given, then what is uneven is moved, one copy at a time from who keeps
 * most to who keeps fewest. Each move makes it more even, so what comes out is given again where nothing else changes.
 */
function placeStandbys(sorted: readonly Member[], owners: readonly Member[], shares: ReadonlyMap<string, Share>): void {
  const wanted = Math.min(Math.max(...sorted.map(({ standbys }) => standbys)), sorted.length - 1)
  const loads = new Map<Member, number>(sorted.map((member) => [member, 0]))
  const load = (member: Member): number => loads.get(member)!
  const byLoad = (a: Member, b: Member): number => load(a) - load(b)
  const keepers = owners.map((owner, partition) => {
    const now = sorted.filter((each) => each !== owner && hasCopy(each, partition) && isNear(each, partition))
    for (const member of now) loads.set(member, load(member) + 1)
    return new Set(now)
  })
  const change = (partition: number, member: Member, by: 1 | -1): void => {
    loads.set(member, load(member) + by)
    if (by === 1) keepers[partition]!.add(member)
    else keepers[partition]!.delete(member)
  }
  const canKeep = (member: Member, partition: number): boolean =>
    member !== owners[partition] && !keepers[partition]!.has(member)

  for (const [partition, own] of keepers.entries())
    while (own.size > wanted) change(partition, [...own].toSorted(byLoad).at(-1)!, -1)
  for (const [partition, own] of keepers.entries()) {
    while (own.size < wanted) {
      const candidates = sorted.filter((member) => canKeep(member, partition)).toSorted(byLoad)
      change(partition, candidates.find((member) => isNear(member, partition)) ?? candidates[0]!, 1)
    }
  }
  const all = [...owners.keys()]
  const replaced = new Map<number, Member>()
  const move = (): boolean => {
    for (const from of sorted.toSorted(byLoad).toReversed()) {
      for (const to of sorted.toSorted(byLoad)) {
        if (load(from) - load(to) < 2) break
        const movable = all.filter((partition) => keepers[partition]!.has(from) && canKeep(to, partition))
        const [partition] = movable.toSorted((a, b) => distance(to, a) - distance(to, b))
        if (partition === undefined) continue
        change(partition, from, -1)
        change(partition, to, 1)
        if (isNear(from, partition) && hasCopy(from, partition)) replaced.set(partition, from)
        return true
      }
    }
    return false
  }
  while (move()) continue

  for (const [partition, own] of keepers.entries()) {
    for (const member of own) shares.get(member.id)!.standby.push(partition)
    const near = replaced.get(partition)
    if (near === undefined || [...own].some((member) => isNear(member, partition))) continue
    keep(shares.get(near.id)!, partition)
    for (const member of own) warm(shares.get(member.id)!, partition)
  }
}

function keep({ standby }: Share, partition: number): void {
  if (!standby.includes(partition)) standby.push(partition)
}

function warm(share: Share, partition: number): void {
  keep(share, partition)
  if (!share.warming.includes(partition)) share.warming.push(partition)
}

/** The first of those of which `count` is least. */
function least(members: readonly Member[], count: (member: Member) => number): Member | undefined {
  let found: Member | undefined
  for (const member of members) if (found === undefined || count(member) < count(found)) found = member
  return found
}
