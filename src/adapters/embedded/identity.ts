// Whose data this is: written with the first group, checked before anything else is read. What is there and does not say
// that it is ours is never written to.
import type { Database } from './database.ts'
import { jsonEntry } from './codec.ts'
import { configError, dataCorrupted } from './faults.ts'
import { identityKey, linkRange, type KeyRange } from './layout.ts'
import type { WriteChain } from './write-chain.ts'

/** Grows when an older release could not read what this one writes. */
const format = 1
/** The store of a partition says which (adapters/level); a log is of no partition. */
const identityEntry = jsonEntry<{ app: string; format: number; partition?: number }>()
const everything: KeyRange = { gte: Buffer.alloc(0), lt: Buffer.alloc(64, 0xff) }

/** True where the database is this application's own, false where it is new. @throws {ConfigError} It is neither. */
export async function isOwn(database: Database, app: string): Promise<boolean> {
  const { directory } = database
  const entry = database.get(identityKey)
  if (entry === undefined) {
    if ((await database.list(linkRange, 1)).length > 0) throw dataCorrupted(directory, 'its identity is missing')
    if ((await database.list(everything, 1)).length === 0) return false
    const message = `the database in ${directory} was not written by dagger-worker: use another directory (--data)`
    throw configError('DW_DATA_UNUSABLE', message)
  }
  const identity = identityEntry.decode(identityKey, entry)
  if (identity.format > format) {
    const message = `the data in ${directory} was written by a newer release (format ${identity.format}): upgrade this one`
    throw configError('DW_DATA_NEWER', message)
  }
  if (identity.format !== format) throw dataCorrupted(directory, `there is no format ${identity.format}`)
  if (identity.app !== app || identity.partition !== undefined) {
    const what = identity.partition === undefined ? 'belongs to' : `is the store of partition ${identity.partition} of`
    const message = `the data in ${directory} ${what} application '${identity.app}', not the log of '${app}': use another directory (--data)`
    throw configError('DW_DATA_OF_ANOTHER_APP', message)
  }
  return true
}

/** Makes a new database that of an application. */
export async function claim(database: Database, chain: WriteChain, app: string): Promise<void> {
  const value = identityEntry.encode(identityKey, { app, format })
  const batch = database.batch()
  batch.put(identityKey, value)
  chain.extend(batch, value.length)
  await batch.write({ sync: true })
  chain.confirm(database)
}
