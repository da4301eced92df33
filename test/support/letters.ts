// The dead letters of a worker on an embedded log of their own, put there by the test.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openEmbeddedLog } from '../../src/adapters/embedded/log.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { DeadLetter } from '../../src/engine/effect.ts'
import { deadLetterRecord } from '../../src/records/dead-letter.ts'
import { topicsOf } from '../../src/records/keys.ts'
import { DeadLetters } from '../../src/runtime/dead-letters/dead-letters.ts'
import type { Log, LogRecord, OutgoingRecord } from '../../src/runtime/ports.ts'

const topics = topicsOf('dagger')

export interface Buried extends Partial<DeadLetter['record']> {
  readonly code?: string
  readonly message?: string
  readonly workflow?: string
  /** Of the dead-letter topic. */
  readonly into?: number
}

export interface Letters {
  readonly log: Log
  readonly deadLetters: DeadLetters
  /** Another worker's, on the same log. */
  readonly others: DeadLetters
  /** Puts a letter there; by default of orders/0@7, with neither key nor headers, into partition 0. */
  bury(buried?: Buried): Promise<void>
  produce(record: OutgoingRecord): Promise<void>
  /** All records of a partition. */
  records(topic: string, partition?: number): Promise<readonly LogRecord[]>
}

/** @param wrap stands between the log and those who redrive */
export async function openLetters(t: TestContext, wrap: (log: Log) => Log = (log) => log): Promise<Letters> {
  const directory = await mkdtemp(join(tmpdir(), 'dw-letters-'))
  t.after(() => rm(directory, { recursive: true }))
  const log = await openEmbeddedLog({ directory, app: 'dagger', clock: systemClock, logger: silentLogger })
  t.after(() => log.close())
  await log.createTopics([
    { name: topics.deadLetter, partitions: 3, cleanup: 'retained' },
    { name: 'orders', partitions: 2, cleanup: 'retained' },
    { name: 'mended', partitions: 5, cleanup: 'retained' },
  ])
  const produce = async (record: OutgoingRecord): Promise<void> => {
    const [outcome] = await log.produce([record])
    if (outcome === undefined || 'error' in outcome) throw new Error(outcome?.message)
  }
  return {
    log,
    deadLetters: new DeadLetters(wrap(log), systemClock, 'dagger'),
    others: new DeadLetters(log, systemClock, 'dagger'),
    produce,
    bury({ code = 'not-json', message = 'no JSON', workflow, into = 0, ...given } = {}) {
      const plain = { topic: 'orders', partition: 0, offset: 7, timestampMs: 1_700_000_000_000, key: null, value: null }
      const record = { ...plain, headers: [], ...given }
      const workflows = workflow === undefined ? [] : [workflow]
      const letter = deadLetterRecord({ type: 'dead-letter', record, code, message, workflows })
      return produce({ topic: topics.deadLetter, partition: into, ...letter })
    },
    async records(topic, partition = 0) {
      const { earliest, end } = await log.offsets(topic, partition)
      const reader = log.openReader({ topic, partition, offset: earliest, onReady: () => {} })
      const records: LogRecord[] = []
      while (reader.position < end) {
        records.push(...reader.take(1_000))
        await new Promise(setImmediate)
      }
      reader.close()
      return records
    },
  }
}

export const bytes = (text: string): Uint8Array => Buffer.from(text)
