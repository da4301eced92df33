// How each table's rows are copied, encoded and decoded; and the rows of one partition as committed: a bounded cache
// of decoded rows over the store. What is not there is remembered too: asking LevelDB for it costs as much.
import { StoreCorrupted } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { BlockRow, InstanceRow, Rows, TableName } from '../engine/state.ts'
import { deferredCodec } from '../records/deferred-codec.ts'
import { decodeInstance } from '../records/instance-codec.ts'
import { endOf, prefixes } from '../records/keys.ts'
import { decodeBlock } from '../records/task-codec.ts'
import { queuedCodec } from '../records/queued-codec.ts'
import {
  answerCodec,
  channelCodec,
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

/** Tables whose rows hold payloads that may be values of their own: they take several values. */
export type PayloadTable = 'instances' | 'blocks'

/** The codecs of all other tables. */
export const codecs: { readonly [Name in Exclude<TableName, PayloadTable>]: Codec<Rows[Name]> } = {
  undos: undoCodec,
  deferred: deferredCodec,
  keys: keyCodec,
  queued: queuedCodec,
  channels: channelCodec,
  kept: keptCodec,
  keptTotals: keptTotalsCodec,
  timers: timerCodec,
  work: workCodec,
  schedules: scheduleCodec,
  answers: answerCodec,
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

/** Two generations: what was not asked for during one of them is dropped, at no cost per look-up. */
class RecentRows<Row> {
  /** True while every row there is is here: then what is not here is nowhere. */
  #isComplete = false
  #young = new Map<string, Row | null>()
  #old = new Map<string, Row | null>()

  get(id: string): Row | null | undefined {
    const young = this.#young.get(id)
    if (young !== undefined) return young
    const old = this.#old.get(id)
    if (old === undefined) return this.#isComplete ? null : undefined
    this.set(id, old)
    return old
  }

  set(id: string, row: Row | null): void {
    if (row === null && this.#isComplete) {
      this.#young.delete(id)
      this.#old.delete(id)
      return
    }
    this.#young.set(id, row)
    if (this.#young.size < limits.cachedRowsMax) return
    this.#isComplete &&= this.#old.size === 0
    this.#old = this.#young
    this.#young = new Map()
  }

  /** All the rows that there are. */
  fill(rows: Iterable<readonly [string, Row]>): void {
    this.#young = new Map(rows)
    this.#old = new Map()
    this.#isComplete = true
  }
}

export class CommittedRows {
  readonly #store: Store
  readonly #recent: { readonly [Name in TableName]: RecentRows<Rows[Name]> } = {
    instances: new RecentRows(),
    blocks: new RecentRows(),
    undos: new RecentRows(),
    deferred: new RecentRows(),
    keys: new RecentRows(),
    queued: new RecentRows(),
    channels: new RecentRows(),
    kept: new RecentRows(),
    keptTotals: new RecentRows(),
    timers: new RecentRows(),
    work: new RecentRows(),
    schedules: new RecentRows(),
    answers: new RecentRows(),
  }

  constructor(store: Store) {
    this.#store = store
  }

  /**
   * Reads the tables that are mostly asked for what is not there, where they are small: a new key, a value that nobody
   * waits for. Until they have outgrown memory once, absence costs no look into the store.
   */
  async fill(): Promise<void> {
    const keys = await this.#all('keys')
    if (keys !== undefined) this.#recent.keys.fill(keys)
    const channels = await this.#all('channels')
    if (channels !== undefined) this.#recent.channels.fill(channels)
  }

  /** undefined: more than memory should hold. */
  async #all<Name extends TableName>(table: Name): Promise<readonly (readonly [string, Rows[Name]])[] | undefined> {
    const from = prefixes[table]
    const limit = limits.cachedRowsMax / 2
    const entries = await this.#store.list({ from, to: endOf(from), limit })
    if (entries.length === limit) return undefined
    return entries.map(({ key, value }) => [key.slice(from.length), this.decode(table, value)])
  }

  /** The committed row, decoded. It is shared: nobody may change it. @throws {StoreCorrupted} */
  find<Name extends TableName>(table: Name, id: string): Rows[Name] | undefined {
    const recent = this.#recent[table]
    const known = recent.get(id)
    if (known !== undefined) return known ?? undefined
    const bytes = this.#store.get(prefixes[table] + id)
    if (bytes === undefined) {
      recent.set(id, null)
      return undefined
    }
    const row = this.decode(table, bytes)
    recent.set(id, row)
    return row
  }

  /** What is in memory: null is known to be absent, undefined is not known. */
  peek<Name extends TableName>(table: Name, id: string): Rows[Name] | null | undefined {
    return this.#recent[table].get(id)
  }

  /** After the commit: what the batch left behind. */
  put<Name extends TableName>(table: Name, id: string, row: Rows[Name] | null): void {
    this.#recent[table].set(id, row)
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
