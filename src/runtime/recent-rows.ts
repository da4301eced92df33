// The rows of one partition that were read or written lately, decoded: so many bytes of them, as far as that can be told.
// Two generations for all tables together: what was not asked for during one of them is dropped, at no cost per look-up.
// What is not in the store is remembered too: asking LevelDB for it costs as much.
import { prefixes } from '../records/keys.ts'
import type { Rows, TableName } from '../engine/state.ts'

/** What an entry takes beside its row, and a row for each byte that it has when encoded: measured on waiting instances. */
const entryBytes = 200
const heapBytesPerByte = 4

interface Entry {
  /** null: it is not in the store. */
  readonly row: unknown
  readonly weight: number
}

interface Table {
  /** True while every row there is is here: then what is not here is nowhere. */
  isComplete: boolean
  young: Map<string, Entry>
  old: Map<string, Entry>
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
    if (young !== undefined) return young.row as Rows[Name] | null
    const old = table.old.get(id)
    if (old === undefined) return table.isComplete ? null : undefined
    this.#add(table, id, old)
    return old.row as Rows[Name] | null
  }

  /** @param bytes of the row as it is encoded */
  set<Name extends TableName>(name: Name, id: string, row: Rows[Name], bytes: number): void {
    this.#add(this.#tables[name], id, { row, weight: entryBytes + heapBytesPerByte * bytes })
  }

  /** It is not in the store. */
  setAbsent(name: TableName, id: string): void {
    const table = this.#tables[name]
    if (table.isComplete) this.#remove(table, id)
    else this.#add(table, id, { row: null, weight: entryBytes })
  }

  /** The row is in the store and will not be asked for soon. */
  forget(name: TableName, id: string): void {
    const table = this.#tables[name]
    this.#remove(table, id)
    table.isComplete = false
  }

  isComplete(name: TableName): boolean {
    return this.#tables[name].isComplete
  }

  /** Before all its rows are set: they are here until room for them runs out. */
  complete(name: TableName): void {
    this.#tables[name].isComplete = true
  }

  #remove(table: Table, id: string): void {
    this.#young -= table.young.get(id)?.weight ?? 0
    table.young.delete(id)
    table.old.delete(id)
  }

  #add(table: Table, id: string, entry: Entry): void {
    this.#young += entry.weight - (table.young.get(id)?.weight ?? 0)
    table.young.set(id, entry)
    if (this.#young < this.#generationBytes) return
    this.#young = 0
    for (const each of Object.values(this.#tables)) {
      each.isComplete &&= each.old.size === 0
      each.old = each.young
      each.young = new Map()
    }
  }
}

const newTable = (): Table => ({ isComplete: false, young: new Map(), old: new Map() })
