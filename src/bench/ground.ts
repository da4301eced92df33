// The grounds that there are. Another log is another function here: workloads know the port only.
import { randomBytes } from 'node:crypto'
import { openEmbeddedLog } from '../adapters/embedded/log.ts'
import { openKafkaLog } from '../adapters/kafka/log.ts'
import type { Client } from '../adapters/kafka/client.ts'
import type { KafkaConnection } from '../adapters/kafka/options.ts'
import { removeTopics, type TopicLeft } from '../adapters/kafka/topic-removal.ts'
import { systemClock } from '../adapters/system/clock.ts'
import { silentLogger } from '../base/logger.ts'
import type { Ground } from './site.ts'

export interface GroundOptions {
  readonly partitions: number
  readonly signal: AbortSignal
}

const surroundings = { clock: systemClock, logger: silentLogger }

/** The embedded log, in each run's own directory. */
export function embeddedGround(options: GroundOptions): Ground {
  return {
    ...options,
    nextApp: () => 'bench',
    openLog: (directory, app) => openEmbeddedLog({ directory, app, ...surroundings }),
    clear: () => Promise.resolve(),
  }
}

export interface KafkaGround extends Ground {
  /** Begins the name of every topic, of every transactional id, and of nothing else on the cluster. */
  readonly prefix: string
  /** Removes what is left of all runs, and gives what could not be removed. @throws {TransientFault} */
  clearAll(): Promise<readonly TopicLeft[]>
}

/** A cluster, which may be somebody's: each run has topics of its own, and removes them. */
export function kafkaGround(
  connection: KafkaConnection & { readonly client: Client },
  options: GroundOptions,
): KafkaGround {
  const kafka = { ...connection, ...surroundings }
  const prefix = `dagger-worker-bench-${randomBytes(4).toString('hex')}`
  let runs = 0
  let isReached = false
  return {
    ...options,
    prefix,
    nextApp: () => `${prefix}-${++runs}`,
    async openLog() {
      const log = await openKafkaLog(kafka)
      isReached = true
      return log
    },
    // A run that was good is not spoilt by what stays behind it: `clearAll` says so in the end.
    clear: async (app) => void (await removeTopics(kafka, (name) => name.startsWith(app)).catch(() => {})),
    clearAll: async () => (isReached ? removeTopics(kafka, (name) => name.startsWith(prefix)) : []),
  }
}
