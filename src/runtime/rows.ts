// How each table's rows are copied, encoded and decoded; and the rows of one partition as committed: those in memory
// (recent-rows.ts) over the store.
import { StoreCorrupted } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { ForeseenRow } from '../engine/foresight.ts'
import type { BlockRow, InstanceRow, Rows, TableName, TimerRow } from '../engine/state.ts'
import { channelCodec, crowdCodec } from '../records/channel-codec.ts'
import { deferredCodec } from '../records/deferred-codec.ts'
import { decodeInstance } from '../records/instance-codec.ts'
import { endOf, prefixes } from '../records/keys.ts'
import { decodeBlock } from '../records/task-codec.ts'
import { queuedCodec } from '../records/queued-codec.ts'
import {
  answerCodec,
  attributeCodec,
  keptCodec,
  keptTotalsCodec,
  keyCodec,
  timerCodec,
  undoCodec,
  scheduleCodec,
  workCodec,
  type Codec,
} from '../records/row-codec.ts'
import type { Store } from './ports.ts'
import { RecentRows } from './recent-rows.ts'

/** Tables whose rows hold payloads that may be values of their own: they take several values. */
export type PayloadTable = 'instances' | 'blocks'

/** The codecs of all other tables. */
export const codecs: { readonly [Name in Exclude<TableName, PayloadTable>]: Codec<Rows[Name]> } = {
  undos: undoCodec,
  deferred: deferredCodec,
  keys: keyCodec,
  queued: queuedCodec,
  channels: channelCodec,
  crowd: crowdCodec,
  kept: keptCodec,
  keptTotals: keptTotalsCodec,
  timers: timerCodec,
  work: workCodec,
  schedules: scheduleCodec,
  answers: answerCodec,
  attributes: attributeCodec,
}

/** A copy that may be changed: deep as far as appliers reach. */
export function copyRow<Name extends TableName>(table: Name, row: Rows[Name]): Rows[Name] {
  if (table === 'blocks') {
    const block = row as BlockRow
    return { ...block, tasks: block.tasks.slice() } as Rows[Name]
  }
  if (table !== 'instances') return { ...row }
  const instance = row as InstanceRow
  const copy: InstanceRow = { ...instance, tasks: instance.tasks.slice(), timeline: instance.timeline.slice() }
  return copy as Rows[Name]
}

/** Read in advance at most so much of what is kept in memory, and so large a row. */
const filledPart = 0.25
const filledRowBytes = 1_000

/** What nobody will ask for soon: an instance that has ended, the timer that forgets it, and what lists find it by. */
function isCold<Name extends TableName>(table: Name, row: Rows[Name]): boolean {
  if (table === 'instances') return (row as InstanceRow).endedAtMs !== undefined
  if (table === 'attributes') return true
  return table === 'timers' && (row as TimerRow).target.kind === 'forget-instance'
}

export class CommittedRows {
  readonly #store: Store
  readonly #recent: RecentRows
  readonly #cachedBytesMax: number
  /** What was committed while rows are read beforehand. */
  #written: Set<string> | undefined

  /** @param cachedBytesMax of decoded rows in memory */
  constructor(store: Store, cachedBytesMax: number = limits.cachedBytesMax) {
    this.#store = store
    this.#cachedBytesMax = cachedBytesMax
    this.#recent = new RecentRows(cachedBytesMax)
  }

  /**
   * Reads the tables that are mostly asked for what is not there, where they are small: a new key, a value that nobody
   * waits for. Until they have outgrown memory once, absence costs no look into the store.
   */
  async fill(): Promise<void> {
    for (const table of ['keys', 'channels'] as const) {
      const from = prefixes[table]
      const limit = Math.floor((this.#cachedBytesMax * filledPart) / filledRowBytes)
      const entries = await this.#store.list({ from, to: endOf(from), limit })
      if (entries.length === limit) continue
      this.#recent.complete(table)
      for (const { key, value } of entries)
        this.#recent.set(table, key.slice(from.length), this.decode(table, value), value.length)
    }
  }

  /** The committed row, decoded. It is shared: nobody may change it. @throws {StoreCorrupted} */
  find<Name extends TableName>(table: Name, id: string): Rows[Name] | undefined {
    const known = this.#recent.get(table, id)
    if (known !== undefined) return known ?? undefined
    const bytes = this.#store.get(prefixes[table] + id)
    if (bytes === undefined) {
      this.#recent.setAbsent(table, id)
      return undefined
    }
    const row = this.decode(table, bytes)
    this.#recent.set(table, id, row, bytes.length)
    return row
  }

  /** True where a look into the store may be saved by reading beforehand: rows have outgrown memory. */
  get isLarge(): boolean {
    return !this.#recent.isComplete('channels')
  }

  /** Reads rows that are not in memory together, beside the thread that computes; one call at a time. */
  async prefetch(names: readonly ForeseenRow[]): Promise<void> {
    const missing = names.filter(({ table, id }) => this.#recent.get(table, id) === undefined)
    if (missing.length === 0) return
    const written = (this.#written = new Set<string>())
    const values = await this.#store
      .getMany(missing.map(({ table, id }) => prefixes[table] + id))
      .finally(() => (this.#written = undefined))
    for (const [index, { table, id }] of missing.entries()) {
      // What was committed meanwhile is newer.
      if (written.has(prefixes[table] + id)) continue
      const value = values[index]
      if (value === undefined) this.#recent.setAbsent(table, id)
      else this.#recent.set(table, id, this.decode(table, value), value.length)
    }
  }

  /** What is in memory: null is known to be absent, undefined is not known. */
  peek<Name extends TableName>(table: Name, id: string): Rows[Name] | null | undefined {
    return this.#recent.get(table, id)
  }

  /** After the commit: what the batch left behind. @param bytes of the row as it is encoded */
  put<Name extends TableName>(table: Name, id: string, row: Rows[Name] | null, bytes: number): void {
    this.#written?.add(prefixes[table] + id)
    if (row === null) this.#recent.setAbsent(table, id)
    else if (isCold(table, row)) this.#recent.forget(table, id)
    else this.#recent.set(table, id, row, bytes)
  }

  decode<Name extends TableName>(table: Name, bytes: Uint8Array): Rows[Name] {
    if (table === 'instances') return decodeInstance(bytes, (key) => this.#payload(key)) as Rows[Name]
    if (table === 'blocks') return decodeBlock(bytes, (key) => this.#payload(key)) as Rows[Name]
    return codecs[table as Exclude<Name, PayloadTable>].decode(bytes)
  }

  #payload(key: string): Uint8Array {
    const bytes = this.#store.get(key)
    if (bytes === undefined) throw new StoreCorrupted(`the payload ${key} is missing`)
    return bytes
  }
}
