// Looks at the files of a database before LevelDB does. LevelDB is made to open whatever it can: it reads on behind damage,
// verifies no checksum of a table, begins anew where CURRENT is missing, and deletes what it does not know of.
//
//   V1. CURRENT names a MANIFEST that is there and whole, but for an edit that its writer did not finish.
//   V2. Every table that the MANIFEST names is there, byte for byte (table.ts).
//   V3. So is the oldest write-ahead file that it needs: it is deleted only once a later edit is on the disk, so that edits
//       which are lost from the end of the MANIFEST show by what is not there any more.
//
// What it leaves to others: the write-ahead files, where a batch that is missing from the middle shows by the links that
// each store keeps, and one that is missing from the end looks as after a crash; and what is damaged while it is open.
//
// It costs a read of all tables at each open: about three seconds a GiB with both of two cores busy. That is done each time,
// as bits also flip at rest, and not behind an open database, as LevelDB would read on, or abort the process, meanwhile.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { ConfigError, StoreCorrupted } from '../../base/errors.ts'
import { readManifest, type Manifest, type TableEntry } from './manifest.ts'
import { verifyTable } from './table.ts'

/** LevelDB deletes, renames and writes anew what has such a name; `checkpoint` is the log's own (embedded/checkpoint.ts). */
const ourNames = /^(CURRENT|LOCK|LOG|LOG\.old|MANIFEST-\d+|\d+\.(log|ldb|sst|dbtmp)|checkpoint)$/
/** What is there when a process died while it made the database: nothing was written to it yet. */
const begunNames = /^(LOCK|LOG|LOG\.old|MANIFEST-000001|000001\.dbtmp|checkpoint)$/

/** How many tables are read at a time: the next ones come from the disk while one is checked. */
const readAhead = 4

/**
 * Looks at a directory without CURRENT, in which LevelDB would make a new database and delete what it takes for its own.
 * @throws {StoreCorrupted} It has files of a database. @throws {ConfigError} DW_DATA_UNUSABLE It has files of somebody else.
 */
export function refuseRemains(directory: string): void {
  const names = readdirSync(directory)
  if (names.includes('CURRENT')) return
  const strange = names.find((name) => !ourNames.test(name))
  if (strange !== undefined) {
    const message = `${directory} holds ${strange}, which is not dagger-worker's: use another directory (--data)`
    throw new ConfigError([{ code: 'DW_DATA_UNUSABLE', message }])
  }
  if (!names.every((name) => begunNames.test(name))) throw new StoreCorrupted('the file CURRENT is missing')
}

/**
 * Checks the files of the database in a directory, if there is one, and changes none.
 * @throws {StoreCorrupted} They are damaged. @throws LevelDB's own error where the database is open elsewhere.
 */
export async function verifyFiles(directory: string): Promise<void> {
  refuseRemains(directory)
  if (!readdirSync(directory).includes('CURRENT')) return
  await expectUnlocked(directory)
  try {
    await verify(directory)
  } catch (error) {
    await expectUnlocked(directory) // whoever has opened it meanwhile changes files that are being read
    throw error
  }
}

async function verify(directory: string): Promise<void> {
  const { logNumber, tables } = manifestOf(directory)
  const log = fileName(logNumber, 'log')
  const names = readdirSync(directory)
  if (logNumber > 0 && !names.includes(log)) throw new StoreCorrupted(`V3: ${log} is missing`)
  // LevelDB takes a write-ahead file that it fails to read for one that ends there, goes on without, and deletes it.
  for (const name of names) if (/^\d+\.log$/.test(name)) await readFile(join(directory, name))
  const waiting = tables.values()
  const readers = Array.from({ length: readAhead }, async () => {
    for (const table of waiting) await verifyTableFile(directory, table)
  })
  await Promise.all(readers)
}

function manifestOf(directory: string): Manifest {
  const current = readFileSync(join(directory, 'CURRENT'), 'latin1')
  if (!/^MANIFEST-\d{6,}\n$/.test(current)) throw new StoreCorrupted('V1: CURRENT names no MANIFEST')
  const name = current.trimEnd()
  return about(name, () => readManifest(readFileSync(join(directory, name))))
}

async function verifyTableFile(directory: string, table: TableEntry): Promise<void> {
  const name = fileName(table.number, 'ldb')
  const path = join(directory, name)
  // Before it is read: it may have become a file of any size.
  const { size } = about(name, () => statSync(path))
  if (size !== table.bytes) throw new StoreCorrupted(`V2: ${name} has ${size} bytes instead of ${table.bytes}`)
  const file = await readFile(path)
  about(name, () => verifyTable(file, table))
}

function fileName(number: number, extension: string): string {
  return `${String(number).padStart(6, '0')}.${extension}`
}

/** What `look` finds in a file; what is wrong names it. */
function about<Found>(name: string, look: () => Found): Found {
  try {
    return look()
  } catch (error) {
    if (error instanceof StoreCorrupted) throw new StoreCorrupted(`${name}: ${error.message}`, { cause: error })
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw isMissing ? new StoreCorrupted(`${name} is missing`, { cause: error }) : error
  }
}

/** LevelDB takes its lock before it sees that the database exists, which it was told not to accept. */
async function expectUnlocked(directory: string): Promise<void> {
  const level = new ClassicLevel(directory, { createIfMissing: false, errorIfExists: true })
  try {
    await level.open()
  } catch (error) {
    if (isLocked(error)) throw error
  } finally {
    await level.close()
  }
}

function isLocked(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if ('code' in at && at.code === 'LEVEL_LOCKED') return true
  return false
}
