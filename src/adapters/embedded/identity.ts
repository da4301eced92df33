// Whose data this is: written with the first group, checked before anything else is read.
import type { Database } from './database.ts'
import { jsonEntry } from './codec.ts'
import { configError, dataCorrupted } from './faults.ts'
import { identityKey } from './layout.ts'
import type { WriteChain } from './write-chain.ts'

/** Grows when an older release could not read what this one writes. */
const format = 1
const identityEntry = jsonEntry<{ app: string; format: number }>()

/** Claims a new database for an application, or checks that it is its own. @throws {ConfigError} */
export async function claim(database: Database, chain: WriteChain, app: string): Promise<void> {
  const entry = database.get(identityKey)
  if (entry === undefined) {
    if (!chain.isEmpty) throw dataCorrupted(database.directory, 'its identity is missing')
    const value = identityEntry.encode(identityKey, { app, format })
    const batch = database.batch()
    batch.put(identityKey, value)
    chain.extend(batch, value.length)
    await batch.write({ sync: true })
    return
  }
  const identity = identityEntry.decode(identityKey, entry)
  if (identity.format > format) {
    const message = `the data in ${database.directory} was written by a newer release (format ${identity.format}): upgrade this one`
    throw configError('DW_DATA_NEWER', message)
  }
  if (identity.app !== app) {
    const message = `the data in ${database.directory} belongs to application '${identity.app}', not '${app}': use another directory (--data)`
    throw configError('DW_DATA_OF_ANOTHER_APP', message)
  }
}
