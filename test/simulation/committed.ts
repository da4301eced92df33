// What was committed, decoded once for all checkers: the changelog of a partition with every value that each key ever
// had, rows by table, positions of inputs, commands between partitions, dead letters.
import type { Rows, TableName } from '../../src/engine/state.ts'
import type { Travelling } from '../../src/engine/command.ts'
import { decodeInbox } from '../../src/records/inbox-codec.ts'
import { decodeInstance } from '../../src/records/instance-codec.ts'
import { positionPrefix, prefixes, topicsOf, type AppTopics } from '../../src/records/keys.ts'
import { positionCodec, type InputPosition } from '../../src/records/row-codec.ts'
import { decodeBlock } from '../../src/records/task-codec.ts'
import { codecs, type PayloadTable } from '../../src/runtime/rows.ts'
import type { History, Seen } from './history.ts'

/** The last value of each key. */
export type Fold = ReadonlyMap<string, Uint8Array>

/** Rows of a table in a fold. */
export function rowsOf<Name extends TableName>(fold: Fold, table: Name): Rows[Name][] {
  const found: Rows[Name][] = []
  for (const [key, value] of fold)
    if (key.startsWith(prefixes[table])) found.push(decode(table, value, (payload) => fold.get(payload)))
  return found
}

function decode<Name extends TableName>(
  table: Name,
  value: Uint8Array,
  payload: (key: string) => Uint8Array | undefined,
): Rows[Name] {
  const load = (key: string): Uint8Array => payload(key) ?? new Uint8Array()
  if (table === 'instances') return decodeInstance(value, load) as Rows[Name]
  if (table === 'blocks') return decodeBlock(value, load) as Rows[Name]
  return codecs[table as Exclude<Name, PayloadTable>].decode(value)
}

/** What a key became with one record of the changelog; undefined: it was removed. */
export interface Version<Row> {
  readonly offset: number
  /** When it became visible. */
  readonly atMs: number
  /** Of the partition's transactions, which one wrote it. */
  readonly batch: number
  readonly row: Row | undefined
}

/** All that a row of a table ever was, the oldest first. */
export interface Life<Row> {
  readonly id: string
  readonly partition: number
  readonly versions: readonly Version<Row>[]
  /** Its latest value, whether or not it has been removed since. */
  readonly last: Row
  readonly isRemoved: boolean
}

/** A record of the changelog. */
export interface Change extends Seen {
  readonly batch: number
}

/** The positions of a partition in one source. */
export interface SourcePositions {
  readonly topic: string
  /** Partition of the topic. */
  readonly source: number
  readonly versions: readonly Version<InputPosition>[]
}

const decoder = new TextDecoder()

export class Changelog {
  readonly partition: number
  readonly records: readonly Change[]
  readonly #byKey = new Map<string, Change[]>()
  /** The same by the prefix that a table's keys share. */
  readonly #byFamily = new Map<string, (readonly [string, readonly Change[]])[]>()
  #positions: readonly SourcePositions[] | undefined
  readonly #lives = new Map<TableName, readonly Life<Rows[TableName]>[]>()

  constructor(partition: number, records: readonly Seen[]) {
    this.partition = partition
    this.records = numbered(records)
    for (const record of this.records) {
      const key = record.key === null ? '' : decoder.decode(record.key)
      const known = this.#byKey.get(key)
      if (known !== undefined) {
        known.push(record)
        continue
      }
      const records = [record]
      this.#byKey.set(key, records)
      const family = key.slice(0, key.indexOf('/') + 1)
      const keys = this.#byFamily.get(family) ?? []
      this.#byFamily.set(family, keys)
      keys.push([key, records])
    }
  }

  keys(): Iterable<string> {
    return this.#byKey.keys()
  }

  /** The records of a key, the oldest first. */
  of(key: string): readonly Change[] {
    return this.#byKey.get(key) ?? []
  }

  /** The value of a key as of an offset: what stands at it, or behind it, does not count. */
  valueAt(key: string, before: number): Uint8Array | undefined {
    return this.of(key).findLast(({ offset }) => offset < before)?.value ?? undefined
  }

  /** The last value of each key as of an offset. */
  foldAt(before = Infinity): Fold {
    const fold = new Map<string, Uint8Array>()
    for (const key of this.#byKey.keys()) {
      const value = this.valueAt(key, before)
      if (value !== undefined) fold.set(key, value)
    }
    return fold
  }

  /** All rows that a table ever had. */
  lives<Name extends TableName>(table: Name): readonly Life<Rows[Name]>[] {
    const known = this.#lives.get(table) as readonly Life<Rows[Name]>[] | undefined
    if (known !== undefined) return known
    const found: Life<Rows[Name]>[] = []
    for (const [key, records] of this.#byFamily.get(prefixes[table]) ?? []) {
      const life = this.#lifeOf(table, key.slice(prefixes[table].length), records)
      if (life !== undefined) found.push(life)
    }
    this.#lives.set(table, found)
    return found
  }

  /** Keys that were removed and never written. */
  *strays(): Generator<string> {
    for (const [key, records] of this.#byKey) if (records.every(({ value }) => value === null)) yield key
  }

  /** Where the partition was in each of its sources, the oldest position first. */
  positions(): readonly SourcePositions[] {
    this.#positions ??= (this.#byFamily.get(positionPrefix) ?? []).map(([key, records]) =>
      positionsOf(key.slice(positionPrefix.length), records),
    )
    return this.#positions
  }

  #lifeOf<Name extends TableName>(table: Name, id: string, records: readonly Change[]): Life<Rows[Name]> | undefined {
    // A payload that is a value of its own: as it was last.
    const payload = (key: string): Uint8Array | undefined =>
      this.of(key).findLast((record) => record.value !== null)?.value ?? undefined
    const versions = records.map(({ offset, atMs, batch, value }) => ({
      offset,
      atMs,
      batch,
      row: value === null ? undefined : decode(table, value, payload),
    }))
    const last = versions.findLast(({ row }) => row !== undefined)?.row
    // It was removed and never written (`strays`).
    if (last === undefined) return undefined
    return { id, partition: this.partition, versions, last, isRemoved: versions.at(-1)?.row === undefined }
  }
}

/** One partition has one writer at a time: between its transactions stands a marker, which takes an offset. */
function numbered(records: readonly Seen[]): readonly Change[] {
  let batch = 0
  return records.map((record, index) => {
    if (index > 0 && records[index - 1]?.offset !== record.offset - 1) batch += 1
    return { ...record, batch }
  })
}

function positionsOf(place: string, records: readonly Change[]): SourcePositions {
  const slash = place.lastIndexOf('/')
  const versions = records.map(({ offset, atMs, batch, value }) => ({
    offset,
    atMs,
    batch,
    row: value === null ? undefined : positionCodec.decode(value),
  }))
  return { topic: place.slice(0, slash), source: Number(place.slice(slash + 1)), versions }
}

/** Where a record stands in its partition; the inbox is never made anew, and needs no id. */
interface Place {
  readonly topicId?: string
  readonly offset: number
}

/** A command on its way between partitions. */
export interface Hop {
  /** Whose inbox it is in. */
  readonly partition: number
  readonly offset: number
  readonly atMs: number
  readonly command: Travelling
}

/** A record of the dead-letter topic. */
export interface Letter {
  readonly code: string
  /** "orders/3@17" */
  readonly source: string
  readonly workflow: string | undefined
  readonly seen: Seen
}

/** What is asked of a history. */
export type Seeing = Pick<History, 'of' | 'all' | 'places'>

export class Committed {
  readonly history: Seeing
  readonly topics: AppTopics
  readonly partitions: number
  readonly changelogs: readonly Changelog[]
  readonly hops: readonly Hop[]
  readonly letters: readonly Letter[]
  readonly #positions = new Map<string, readonly Version<InputPosition>[]>()
  readonly #lives = new Map<TableName, readonly Life<Rows[TableName]>[]>()

  constructor(history: Seeing, app: string, partitions: number) {
    this.history = history
    this.topics = topicsOf(app)
    this.partitions = partitions
    const all = Array.from({ length: partitions }, (_, partition) => partition)
    this.changelogs = all.map((partition) => new Changelog(partition, history.of(this.topics.changelog, partition)))
    this.hops = all.flatMap((partition) =>
      history
        .of(this.topics.inbox, partition)
        .flatMap(({ offset, atMs, value }) =>
          value === null ? [] : [{ partition, offset, atMs, command: decodeInbox(value) }],
        ),
    )
    this.letters = history.all(this.topics.deadLetter).map(letterOf)
    for (const changelog of this.changelogs)
      for (const { topic, source, versions } of changelog.positions())
        this.#positions.set(`${changelog.partition}/${topic}/${source}`, versions)
  }

  /** What a partition's position in a source was when it had taken the record; undefined: it never took it. */
  taken(partition: number, topic: string, source: number, record: Place): Version<InputPosition> | undefined {
    let isBehindStart = false
    for (const version of this.#positions.get(`${partition}/${topic}/${source}`) ?? []) {
      const { row } = version
      if (row === undefined || (record.topicId !== undefined && row.topicId !== record.topicId)) continue
      if (row.offset > record.offset) return isBehindStart ? version : undefined
      isBehindStart = true
    }
    return undefined
  }

  /** The same of a command between partitions. */
  takenHop(hop: Hop): Version<InputPosition> | undefined {
    return this.taken(hop.partition, this.topics.inbox, hop.partition, hop)
  }

  /** All rows that a table ever had, in all partitions. */
  lives<Name extends TableName>(table: Name): readonly Life<Rows[Name]>[] {
    const known = this.#lives.get(table) as readonly Life<Rows[Name]>[] | undefined
    if (known !== undefined) return known
    const lives = this.changelogs.flatMap((changelog) => changelog.lives(table))
    this.#lives.set(table, lives)
    return lives
  }
}

function letterOf(seen: Seen): Letter {
  const header = (name: string): string | undefined => {
    const value = seen.headers.findLast(({ key }) => key === name)?.value
    return value === undefined ? undefined : decoder.decode(value)
  }
  return { code: header('dw-reason') ?? '', source: header('dw-source') ?? '', workflow: header('dw-workflow'), seen }
}
