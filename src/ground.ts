// What a worker stands on: one of the two ways to run, with the adapters of each. With composition.ts the composition root.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { checkGuarantee, kafkaClient } from './adapters/clients.ts'
import { diskDurability } from './adapters/embedded/durability.ts'
import { openEmbeddedLog } from './adapters/embedded/log.ts'
import { soleMembership } from './adapters/embedded/membership.ts'
import { destroyLevelStore, openLevelStore } from './adapters/level/store.ts'
import { writeBehind } from './adapters/level/write-behind.ts'
import { claimWorkerDirectory } from './adapters/level/worker-directory.ts'
import { brokersDurability } from './adapters/kafka/durability.ts'
import { openKafkaLog } from './adapters/kafka/log.ts'
import { createKafkaMembership } from './adapters/kafka/membership.ts'
import { openRegistry } from './adapters/registry/registry.ts'
import { systemClock } from './adapters/system/clock.ts'
import { kafkaCredentials } from './adapters/system/kafka-credentials.ts'
import { readSecretFile } from './adapters/system/secret-file.ts'
import { StoreCorrupted } from './base/errors.ts'
import { type Logger } from './base/logger.ts'
import { registryPasswordVariable } from './base/registry-password.ts'
import { type WorkerConfig } from './config/worker-config.ts'
import { topicsOf } from './records/keys.ts'
import type { Durability } from './runtime/face.ts'
import type { Log, Membership, OpenStore } from './runtime/ports.ts'
import { persist } from './runtime/persist.ts'

export interface Ground {
  readonly logKind: 'embedded' | 'kafka'
  readonly log: Log
  readonly membership: Membership
  readonly openStore: OpenStore
  readonly hasStore?: (partition: number) => boolean
  /** Others may add partitions to topics of a shared log. */
  readonly refreshEveryMs: number
  readonly durability: () => Promise<Durability>
  close(): Promise<void>
}

/** The log that the configuration names, and what goes with it. @throws {ConfigError} */
export async function openGround(config: WorkerConfig, logger: Logger, workerId: string): Promise<Ground> {
  const { brokers } = config
  const ground = await (brokers === undefined ? embedded(config, logger) : kafka(config, brokers, logger, workerId))
  return { ...ground, log: withSchemas(ground.log, config, logger) }
}

async function embedded({ data, app, partitions }: WorkerConfig, logger: Logger): Promise<Ground> {
  const directory = join(data, 'log')
  const log = await openEmbeddedLog({ directory, app, clock: systemClock, logger })
  return {
    logKind: 'embedded',
    log,
    membership: soleMembership(partitions),
    openStore: () => Promise.reject(new Error('the embedded log is its own store')),
    refreshEveryMs: 0,
    durability: () => diskDurability(directory),
    close: () => log.close(),
  }
}

async function kafka(
  config: WorkerConfig,
  brokers: readonly string[],
  logger: Logger,
  workerId: string,
): Promise<Ground> {
  const { data, app, partitions, standby } = config
  const client = await kafkaClient(config.client)
  checkGuarantee(client, config.guarantee)
  const own = await claimWorkerDirectory(data)
  const directoryOf = (partition: number): string => join(own.directory, app, String(partition))
  const secured = kafkaCredentials(config, process.env)
  if (secured.sasl !== undefined && secured.tls === undefined)
    logger.warn(
      { mechanism: secured.sasl.mechanism },
      'SASL without TLS: who is on the network reads and changes what is sent, and by PLAIN and OAUTHBEARER who we are as well',
    )
  const surroundings = { client, clock: systemClock, logger, compression: config.compression }
  const connection = { brokers, clientId: `${app}-${workerId}`, ...secured, ...surroundings }
  const log = await persist(
    { clock: systemClock, logger, what: `reaching Kafka at ${brokers.join(', ')}`, isOver: () => false },
    () => openKafkaLog(connection),
  )
  return {
    logKind: 'kafka',
    log,
    membership: createKafkaMembership({
      ...connection,
      groupId: app,
      topic: topicsOf(app).inbox,
      partitions,
      standbys: standby,
      memory: own.memberMemory(app),
    }),
    hasStore: (partition) => existsSync(directoryOf(partition)),
    openStore: async (partition) => {
      const place = { directory: directoryOf(partition), app, partition }
      try {
        return writeBehind(await openLevelStore(place))
      } catch (error) {
        if (!(error instanceof StoreCorrupted)) throw error
        // Nothing is lost with it: the changelog has it all.
        logger.warn(
          { partition, error: error.message },
          `the store of partition ${partition} is damaged: restoring it from the changelog`,
        )
        await destroyLevelStore(place.directory)
        return writeBehind(await openLevelStore(place))
      }
    },
    refreshEveryMs: 30_000,
    durability: brokersDurability(connection, topicsOf(app).changelog),
    async close() {
      await log.close()
      await own.release()
    },
  }
}

/** The log with the registry of its schemas, where there is one. */
function withSchemas(log: Log, config: WorkerConfig, logger: Logger): Log {
  const { schemaRegistry, schemaRegistryUsername: username, schemaRegistryPasswordFile: file } = config
  if (schemaRegistry === undefined) return log
  const password = (): string =>
    file === undefined ? (process.env[registryPasswordVariable] ?? '') : readSecretFile(file)
  const url = schemaRegistry.replace(/\/+$/, '')
  const login = username === undefined ? {} : { username, password }
  const schemas = openRegistry({ url, ...login, clock: systemClock, logger })
  const problemsOfLog = log.problems.bind(log)
  const problems = (): readonly string[] => [
    ...problemsOfLog(),
    ...(schemas.trouble === undefined ? [] : [schemas.trouble]),
  ]
  return Object.assign(log, { schemas, problems })
}
