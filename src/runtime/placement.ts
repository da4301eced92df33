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
  for (const [partition, { holder, heir }] of inherit(sorted, partitions).entries()) {
    const nearest = (): Member | undefined =>
      least(
        sorted.filter((member) => isNear(member, partition)),
        (member) => shares.get(member.id)!.owned.length,
      )
    const owner = isNear(heir, partition) ? heir : (holder ?? nearest() ?? heir) // A4
    owners.push(owner)
    shares.get(owner.id)!.owned.push(partition)
    if (owner !== heir) warm(shares.get(heir.id)!, partition)
  }
  placeStandbys(sorted, owners, shares)
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

/** A5 */
function placeStandbys(sorted: readonly Member[], owners: readonly Member[], shares: ReadonlyMap<string, Share>): void {
  const wanted = Math.min(Math.max(...sorted.map(({ standbys }) => standbys)), sorted.length - 1)
  const most = Math.ceil((owners.length * wanted) / sorted.length)
  const loads = new Map<Member, number>(sorted.map((member) => [member, 0]))
  // First what fewest can keep: whoever keeps little owns what the others have to.
  const order = owners
    .map((owner, partition) => ({ owner, partition }))
    .toSorted((a, b) => a.owner.standby.length - b.owner.standby.length || a.partition - b.partition)
  for (const { owner, partition } of order) {
    const rank = (member: Member): number =>
      8 * Number(loads.get(member)! >= most) +
      4 * Number(!isNear(member, partition)) +
      2 * Number(!hasCopy(member, partition))
    const others = sorted
      .filter((member) => member !== owner)
      .toSorted((a, b) => rank(a) - rank(b) || loads.get(a)! - loads.get(b)!)
    const chosen = others.slice(0, wanted)
    for (const member of chosen) {
      loads.set(member, loads.get(member)! + 1)
      keep(shares.get(member.id)!, partition)
    }
    if (chosen.length === 0 || chosen.some((member) => isNear(member, partition))) continue
    const near = others.find((member) => isNear(member, partition) && hasCopy(member, partition))
    if (near === undefined) continue
    keep(shares.get(near.id)!, partition)
    for (const member of chosen) warm(shares.get(member.id)!, partition)
  }
  for (const { standby, warming } of shares.values()) {
    standby.sort((a, b) => a - b)
    warming.sort((a, b) => a - b)
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
