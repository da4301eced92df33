// The overlay that a batch is decided on: what its inputs changed, over the batch before it that is still being
// committed, over the committed rows. It becomes changelog values, or is dropped as a whole.
//
// G1. A row that was read is never changed: `edit` copies it once per batch.
// G2. A row that came and went within the batch leaves no trace in the changelog.
import { assert } from '../base/assert.ts'
import type { Rows, TableName, WritableState, WriteTable } from '../engine/state.ts'
import type { Payload } from '../engine/payload.ts'
import { encodeInstance } from '../records/instance-codec.ts'
import { positionKey, prefixes } from '../records/keys.ts'
import type { PlacedPayloads } from '../records/payload-place.ts'
import { positionCodec, type InputPosition } from '../records/row-codec.ts'
import { encodeBlock } from '../records/task-codec.ts'
import type { StoreChange } from './ports.ts'
import { codecs, copyRow, type CommittedRows, type PayloadTable } from './rows.ts'

interface Staged<Row> {
  /** null: removed. */
  row: Row | null
  /** As it was before the batch; undefined: nobody has looked, or it was not there. */
  readonly before: Row | undefined
  /** It was not there before the batch. */
  readonly isNew: boolean
  /** As it is encoded. */
  bytes: number
}

class StagedTable<Name extends TableName> implements WriteTable<Rows[Name]> {
  readonly #name: Name
  readonly #rows: CommittedRows
  readonly staged = new Map<string, Staged<Rows[Name]>>()
  /** What was looked up last: mostly it is what is looked up next. */
  #lastId: string | undefined
  #last: Staged<Rows[Name]> | undefined
  below: StagedTable<Name> | undefined

  constructor(name: Name, rows: CommittedRows, below: StagedTable<Name> | undefined) {
    this.#name = name
    this.#rows = rows
    this.below = below
  }

  find(id: string): Rows[Name] | undefined {
    const own = this.#own(id)
    if (own !== undefined) return own.row ?? undefined
    const below = this.below?.staged.get(id)
    if (below !== undefined) return below.row ?? undefined
    return this.#rows.find(this.#name, id)
  }

  expect(id: string): Rows[Name] {
    const row = this.find(id)
    assert(row !== undefined, () => `G0: ${this.#name} holds ${id}`)
    return row
  }

  insert(id: string, row: Rows[Name]): void {
    const own = this.#own(id)
    if (own !== undefined) {
      assert(own.row === null, () => `G0: ${this.#name} does not hold ${id} yet`)
      own.row = row
      return
    }
    // Asserted against what is in memory: to ask the store at every insert would cost more than the insert.
    const below = this.below?.staged.get(id)
    assert(
      below === undefined ? !this.#rows.peek(this.#name, id) : below.row === null,
      () => `G0: ${this.#name} does not hold ${id} yet`,
    )
    this.#stage(id, { row, before: undefined, isNew: true, bytes: 0 })
  }

  /** G1 */
  edit(id: string): Rows[Name] {
    const own = this.#own(id)
    if (own !== undefined) {
      assert(own.row !== null, () => `G0: ${this.#name} holds ${id}`)
      return own.row
    }
    const before = this.expect(id)
    const row = copyRow(this.#name, before)
    this.#stage(id, { row, before, isNew: false, bytes: 0 })
    return row
  }

  remove(id: string): void {
    const own = this.#own(id)
    assert(own?.row !== null, () => `G0: ${this.#name} holds ${id}`)
    this.#remove(id, own, own === undefined ? this.expect(id) : own.before)
  }

  clear(id: string): void {
    const own = this.#own(id)
    if (own?.row !== null) this.#remove(id, own, own?.before)
  }

  /** G2 */
  #remove(id: string, own: Staged<Rows[Name]> | undefined, before: Rows[Name] | undefined): void {
    if (own === undefined) this.#stage(id, { row: null, before, isNew: false, bytes: 0 })
    else if (own.isNew) this.#stage(id, undefined)
    else own.row = null
  }

  #own(id: string): Staged<Rows[Name]> | undefined {
    if (id !== this.#lastId) {
      this.#lastId = id
      this.#last = this.staged.get(id)
    }
    return this.#last
  }

  /** undefined: nothing happened to it in this batch. */
  #stage(id: string, staged: Staged<Rows[Name]> | undefined): void {
    this.#lastId = id
    this.#last = staged
    if (staged === undefined) this.staged.delete(id)
    else this.staged.set(id, staged)
  }

  /** Hands the rows to the committed ones. */
  settle(): void {
    this.staged.forEach(({ row, bytes }, id) => this.#rows.put(this.#name, id, row, bytes))
  }
}

type StagedTables = { readonly [Name in TableName]: StagedTable<Name> }
const tableNames = Object.keys(prefixes) as TableName[]

export class Staging implements WritableState {
  readonly instances: StagedTable<'instances'>
  readonly blocks: StagedTable<'blocks'>
  readonly undos: StagedTable<'undos'>
  readonly deferred: StagedTable<'deferred'>
  readonly keys: StagedTable<'keys'>
  readonly queued: StagedTable<'queued'>
  readonly channels: StagedTable<'channels'>
  readonly crowd: StagedTable<'crowd'>
  readonly kept: StagedTable<'kept'>
  readonly keptTotals: StagedTable<'keptTotals'>
  readonly timers: StagedTable<'timers'>
  readonly work: StagedTable<'work'>
  readonly schedules: StagedTable<'schedules'>
  readonly answers: StagedTable<'answers'>
  readonly attributes: StagedTable<'attributes'>
  readonly #positions = new Map<string, InputPosition>()
  #payloads: { readonly key: string; readonly payload: Payload }[] = []

  /** @param below the batch that is still being committed */
  constructor(rows: CommittedRows, below: Staging | undefined) {
    this.instances = new StagedTable('instances', rows, below?.instances)
    this.blocks = new StagedTable('blocks', rows, below?.blocks)
    this.undos = new StagedTable('undos', rows, below?.undos)
    this.deferred = new StagedTable('deferred', rows, below?.deferred)
    this.keys = new StagedTable('keys', rows, below?.keys)
    this.queued = new StagedTable('queued', rows, below?.queued)
    this.channels = new StagedTable('channels', rows, below?.channels)
    this.crowd = new StagedTable('crowd', rows, below?.crowd)
    this.kept = new StagedTable('kept', rows, below?.kept)
    this.keptTotals = new StagedTable('keptTotals', rows, below?.keptTotals)
    this.timers = new StagedTable('timers', rows, below?.timers)
    this.work = new StagedTable('work', rows, below?.work)
    this.schedules = new StagedTable('schedules', rows, below?.schedules)
    this.answers = new StagedTable('answers', rows, below?.answers)
    this.attributes = new StagedTable('attributes', rows, below?.attributes)
  }

  /** The batch below is committed: its rows are found in the committed ones from now on. */
  release(): void {
    for (const name of tableNames) this[name].below = undefined
  }

  position(topic: string, partition: number, position: InputPosition): void {
    this.#positions.set(positionKey(topic, partition), position)
  }

  /** Everything that changed, as values of the changelog and of the store. */
  encode(): StoreChange[] {
    const changes: StoreChange[] = []
    for (const [key, position] of this.#positions) changes.push({ key, value: positionCodec.encode(position) })
    this.#payloads = []
    this.instances.staged.forEach((staged, id) =>
      this.#encodeRow(prefixes.instances + id, staged, encodeInstance, changes),
    )
    this.blocks.staged.forEach((staged, id) =>
      this.#encodeRow(prefixes.blocks + id, staged, (row) => encodeBlock(id, row), changes),
    )
    encodeTables(this, changes)
    return changes
  }

  /** After the commit. */
  settle(): void {
    for (const { key, payload } of this.#payloads) payload.storedAs = key
    for (const name of tableNames) this[name].settle()
  }

  /** A row with payloads: those that are values of their own, and that it has no longer, go with it. */
  #encodeRow<Row extends { stored: readonly string[] } | { readonly stored: readonly string[] }>(
    key: string,
    staged: Staged<Row>,
    encode: (row: Row) => PlacedPayloads & { readonly bytes: Uint8Array },
    changes: StoreChange[],
  ): void {
    const { row, before } = staged
    let kept: readonly string[] = []
    if (row === null) changes.push({ key, value: null })
    else {
      const { bytes, payloads, stored } = encode(row)
      kept = stored
      staged.bytes = bytes.length
      changes.push({ key, value: bytes })
      for (const each of payloads) changes.push({ key: each.key, value: each.payload.bytes })
      this.#payloads.push(...payloads)
      Object.assign(row, { stored })
    }
    for (const each of before?.stored ?? []) if (!kept.includes(each)) changes.push({ key: each, value: null })
  }
}

function encodeTables(tables: StagedTables, changes: StoreChange[]): void {
  for (const name of tableNames) if (name !== 'instances' && name !== 'blocks') encodeTable(name, tables[name], changes)
}

function encodeTable<Name extends Exclude<TableName, PayloadTable>>(
  name: Name,
  table: StagedTable<Name>,
  changes: StoreChange[],
): void {
  const prefix = prefixes[name]
  const codec = codecs[name]
  table.staged.forEach((staged, id) => {
    const value = staged.row === null ? null : codec.encode(staged.row)
    staged.bytes = value?.length ?? 0
    changes.push({ key: prefix + id, value })
  })
}
