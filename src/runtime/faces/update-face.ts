// What a worker tells of its instances, in this process.
import type { Update } from '../../records/update.ts'

export type { Update, UpdateData } from '../../records/update.ts'

/**
 * Told of each update of what this worker runs: after it was committed, in the order of its instance, at most once. What it
 * throws is logged, and changes nothing; a promise is not waited for.
 */
export type OnUpdate = (update: Update) => unknown
