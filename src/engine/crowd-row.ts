// Who waits for a value for which many wait. The first few stand in the channel's row, since mostly there is one; those
// that come once there are so many have a row each, which names its neighbours: whoever comes, goes or is found a record
// touches a few small rows, however many wait.
import type { Waiter } from './waiter.ts'

/** Names a waiter within its channel: "instance/number". */
export type Place = string

/** What a channel knows of those that do not stand in its row: there is one at least. */
export interface Crowd {
  /** Who waits longest. */
  readonly first: Place
  readonly last: Place
  readonly length: number
}

export interface CrowdRow {
  readonly waiter: Waiter
  before: Place | undefined
  after: Place | undefined
}

/** The waiters of a channel. */
export interface Waiters {
  /** The longest-waiting first. */
  waiters: readonly Waiter[]
  /** Those behind them. */
  crowd: Crowd | undefined
}

export const placeOf = ({ instanceId, number }: Pick<Waiter, 'instanceId' | 'number'>): Place =>
  `${instanceId}/${number}`
export const crowdId = (channel: string, place: Place): string => `${channel}/${place}`

/** How many wait. */
export const waitingIn = ({ waiters, crowd }: Waiters): number => waiters.length + (crowd?.length ?? 0)

/** Who waits, the longest first. @param channel its id @param find a row of the crowd */
export function* waitersOf(
  channel: string,
  { waiters, crowd }: Waiters,
  find: (id: string) => CrowdRow | undefined,
): Generator<Waiter> {
  yield* waiters
  for (let place = crowd?.first; place !== undefined;) {
    const row = find(crowdId(channel, place))
    if (row === undefined) return
    yield row.waiter
    place = row.after
  }
}

/** The first of them, at most so many. */
export function firstWaiters(most: number, ...of: Parameters<typeof waitersOf>): readonly Waiter[] {
  const first: Waiter[] = []
  for (const waiter of waitersOf(...of)) {
    if (first.push(waiter) === most) break
  }
  return first
}
