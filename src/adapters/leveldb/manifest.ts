// Which files a database consists of, from the edits in its MANIFEST.
//
//   edit   field…     a tag(varint) and what it stands for
import { StoreCorrupted } from '../../base/errors.ts'
import { Fields } from './fields.ts'
import { recordsOf } from './record-log.ts'

export interface TableEntry {
  readonly number: number
  readonly bytes: number
  /** The first and the last of its keys, with LevelDB's eight bytes of sequence number and kind behind each. */
  readonly smallest: Buffer
  readonly largest: Buffer
}

export interface Manifest {
  /** The oldest write-ahead file that is needed; 0 before there is one. */
  readonly logNumber: number
  readonly tables: readonly TableEntry[]
}

/** @throws {StoreCorrupted} */
export function readManifest(file: Buffer): Manifest {
  const tables = new Map<number, TableEntry>()
  let logNumber = 0
  for (const record of recordsOf(file)) {
    const fields = new Fields(record)
    const added: TableEntry[] = []
    while (!fields.isAtEnd) {
      const tag = fields.varint()
      switch (tag) {
        case 1: // name of the comparator
          fields.text()
          break
        case 2:
          logNumber = fields.varint()
          break
        case 3: // next file
        case 4: // last sequence number
        case 9: // previous write-ahead file, unused since long
          fields.varint()
          break
        case 5: // where the next compaction of a level begins
          fields.varint()
          fields.text()
          break
        case 6: // a table that is gone
          fields.varint()
          tables.delete(fields.varint())
          break
        case 7: // a table that is new, or has moved to another level
          fields.varint()
          added.push({
            number: fields.varint(),
            bytes: fields.varint(),
            smallest: fields.text(),
            largest: fields.text(),
          })
          break
        default:
          throw new StoreCorrupted(`the MANIFEST has a field of the unknown kind ${tag}`)
      }
    }
    // A table that moves is gone and new in one edit.
    for (const table of added) tables.set(table.number, table)
  }
  return { logNumber, tables: [...tables.values()] }
}
