// The rows of one partition that were read or written lately, decoded: so many bytes of them, as far as that can be told.
// Two generations for all tables together: what was not asked for during one of them is dropped, at no cost per look-up.
// What is not in the store is remembered too: asking LevelDB for it costs as much.
import { prefixes } from '../records/keys.ts'
import type { Rows, TableName } from '../engine/state.ts'

/** What an entry takes beside its row, and a row for each byte that it has when encoded: measured on waiting instances. */
const entryBytes = 200
const heapBytesPerByte = 4

interface Table {
  /** True while every row there is is here: then what is not here is nowhere. */
  isComplete: boolean
  young: Map<string, unknown>
  old: Map<string, unknown>
  /** Of its rows so far: what a row weighs whose encoded size is not at hand. */
  rows: number
  weight: number
}

export class RecentRows {
  readonly #generationBytes: number
  readonly #tables: { readonly [Name in TableName]: Table }
  #young = 0

  /** @param bytesMax of both generations */
  constructor(bytesMax: number) {
    this.#generationBytes = bytesMax / 2
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every table has a prefix
    this.#tables = Object.fromEntries(Object.keys(prefixes).map((name) => [name, newTable()])) as {
      readonly [Name in TableName]: Table
    }
  }

  /** null: known to be absent; undefined: not known. */
  get<Name extends TableName>(name: Name, id: string): Rows[Name] | null | undefined {
    const table = this.#tables[name]
    const young = table.young.get(id)
    if (young !== undefined) return young as Rows[Name] | null
    const old = table.old.get(id)
    if (old === undefined) return table.isComplete ? null : undefined
    this.#add(table, id, old, table.rows === 0 ? entryBytes : table.weight / table.rows)
    return old as Rows[Name] | null
  }

  /** @param bytes of the row as it is encoded */
  set<Name extends TableName>(name: Name, id: string, row: Rows[Name], bytes: number): void {
    const table = this.#tables[name]
    const weight = entryBytes + heapBytesPerByte * bytes
    table.rows += 1
    table.weight += weight
    this.#add(table, id, row, weight)
  }

  /** It is not in the store. */
  setAbsent(name: TableName, id: string): void {
    const table = this.#tables[name]
    if (!table.isComplete) return this.#add(table, id, null, entryBytes)
    table.young.delete(id)
    table.old.delete(id)
  }

  /** The row is in the store and will not be asked for soon. */
  forget(name: TableName, id: string): void {
    const table = this.#tables[name]
    table.young.delete(id)
    table.old.delete(id)
    table.isComplete = false
  }

  isComplete(name: TableName): boolean {
    return this.#tables[name].isComplete
  }

  /** Before all its rows are set: they are here until room for them runs out. */
  complete(name: TableName): void {
    this.#tables[name].isComplete = true
  }

  #add(table: Table, id: string, row: unknown, weight: number): void {
    table.young.set(id, row)
    this.#young += weight
    if (this.#young < this.#generationBytes) return
    this.#young = 0
    for (const each of Object.values(this.#tables)) {
      each.isComplete &&= each.old.size === 0
      each.old = each.young
      each.young = new Map()
    }
  }
}

const newTable = (): Table => ({ isComplete: false, young: new Map(), old: new Map(), rows: 0, weight: 0 })
