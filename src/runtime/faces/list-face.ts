// What a running worker can be asked to list beside instances; a part of face.ts.
import type { Json } from '../../base/json.ts'
import { comparePlaces, placeOf } from '../cursor.ts'
import type { RecordPlaceView } from './dead-letter-face.ts'

/** Items in the order of their cursors. */
export interface OrderedPage<Item extends { readonly cursor: string }> {
  readonly items: readonly Item[]
  /** The partitions that were looked at. */
  readonly partitions: readonly number[]
  /** The cursor of the page after. */
  readonly next?: string
}

/** The order of lists whose items have cursors. */
export const compareCursors = (a: string, b: string): number => comparePlaces(placeOf(a), placeOf(b))

export interface ListBounds {
  /** At most; 1 to 1,000. */
  readonly limit: number
  /** `next` of the page before, or the cursor of an item: what comes behind it. */
  readonly cursor?: string
}

export const timerKinds = [
  'timeout',
  'retry',
  'time',
  'interval',
  'items',
  'stop-timeout',
  'max-duration',
  'monitor',
  'deadline',
  'schedule',
  'expire-kept',
  'forget-instance',
  'forget-answer',
] as const
export type TimerKind = (typeof timerKinds)[number]

export interface TimerView {
  readonly cursor: string
  readonly partition: number
  /** RFC 3339 */
  readonly dueAt: string
  readonly kind: TimerKind
  /** In words. */
  readonly what: string
  readonly workflow?: string
  readonly key?: string
  readonly instanceId?: string
  readonly task?: string
}

export interface TimerFilter extends ListBounds {
  readonly workflow?: string
  readonly kind?: TimerKind
  /** Also those that only forget what is over. */
  readonly all?: boolean
}

export interface SubscriptionView {
  readonly cursor: string
  /** Where the value is decided about. */
  readonly partition: number
  readonly workflow: string
  readonly topic: string
  readonly value: string
  /** How many wait for it. */
  readonly waiting: number
  /** The longest-waiting first; 100 at most. */
  readonly waiters: readonly WaiterView[]
}

export interface WaiterView {
  readonly instanceId: string
  readonly task: string
  /** RFC 3339 */
  readonly since: string
  /** Values of the further pairs. */
  readonly others: readonly string[]
}

export interface KeptView {
  readonly cursor: string
  /** Where it is kept. */
  readonly partition: number
  readonly workflow: string
  readonly value: string
  readonly source: RecordPlaceView
  /** RFC 3339, as the next. */
  readonly arrivedAt: string
  readonly expiresAt: string
  readonly bytes: number
  readonly onExpired: 'drop' | 'dead-letter'
  readonly key: string | null
  readonly keyBase64?: string
  /** Where it was asked for: JSON where the bytes are JSON, text where they are UTF-8, else null with `recordBase64`. */
  readonly record?: Json
  readonly recordBase64?: string
}

export interface ChannelFilter extends ListBounds {
  readonly workflow?: string
  readonly topic?: string
  readonly value?: string
}

/** Each from the partitions that run here. Every method may throw Unavailable. */
export interface ListsFace {
  /** The one that is due next first. */
  timers(filter: TimerFilter): Promise<OrderedPage<TimerView>>
  /** By workflow, topic and value. */
  subscriptions(filter: ChannelFilter): Promise<OrderedPage<SubscriptionView>>
  /** By workflow, topic and value, the oldest first. */
  kept(filter: ChannelFilter & { readonly withRecord?: boolean }): Promise<OrderedPage<KeptView>>
}
