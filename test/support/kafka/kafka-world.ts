// What a test of the Kafka adapter works with: a log of ours, and others' clients beside it.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Admin, Producer } from '@platformatic/kafka'
import type { CompressionAlgorithmValue } from '@platformatic/kafka'
import type { Compression } from '../../../src/adapters/kafka/compression.ts'
import { openKafkaLog } from '../../../src/adapters/kafka/log.ts'
import { platformaticClient } from '../../../src/adapters/platformatic/client.ts'
import { systemClock } from '../../../src/adapters/system/clock.ts'
import { silentLogger } from '../../../src/base/logger.ts'
import type { Log, LogRecord, OutgoingRecord, Reader } from '../../../src/runtime/ports.ts'

const arrivalMs = 60_000
const lookAgainMs = 10

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export const openLog = (brokers: readonly string[], compression: Compression = 'none'): Promise<Log> =>
  openKafkaLog({
    client: platformaticClient,
    brokers,
    clientId: 'conformance',
    clock: systemClock,
    logger: silentLogger,
    compression,
  })

export async function createTopic(log: Log, partitions = 1): Promise<string> {
  const name = `t-${randomUUID()}`
  await log.createTopics([{ name, partitions, cleanup: 'unlimited' }])
  return name
}

export function record(topic: string, value: string, partition?: number): OutgoingRecord {
  return { topic, key: null, value: Buffer.from(value), ...(partition === undefined ? {} : { partition }) }
}

export const valuesOf = (records: readonly LogRecord[]) =>
  records.map(({ value }) => (value === null ? null : Buffer.from(value).toString()))

/** Takes from a reader until its position reaches `end`. */
export async function takeUntil(reader: Reader, end: number): Promise<LogRecord[]> {
  const taken: LogRecord[] = []
  const givenUpAt = Date.now() + arrivalMs
  for (;;) {
    taken.push(...reader.take(1_000))
    if (reader.position >= end) return taken
    assert.ok(Date.now() < givenUpAt, `the reader stands at ${reader.position}, before ${end}`)
    await pause(lookAgainMs)
  }
}

/** What the log has committed in a partition, from an offset on. */
export async function readFrom(log: Log, topic: string, offset = 0, partition = 0): Promise<LogRecord[]> {
  const { committedEnd } = await log.offsets(topic, partition)
  const reader = log.openReader({ topic, partition, offset, onReady: () => {} })
  try {
    return await takeUntil(reader, committedEnd)
  } finally {
    reader.close()
  }
}

/** Resolves when no transaction is open in a partition. */
export async function untilDecided(log: Log, topic: string): Promise<void> {
  const givenUpAt = Date.now() + arrivalMs
  for (;;) {
    const { committedEnd, end } = await log.offsets(topic, 0)
    if (committedEnd === end) return
    assert.ok(Date.now() < givenUpAt, `a transaction of ${topic} stays open`)
    await pause(lookAgainMs)
  }
}

type Transaction = Awaited<ReturnType<Producer['beginTransaction']>>

/** Another's transactional producer, whose transactions a test ends as it likes. */
export interface OtherProducer {
  begin(): Promise<Transaction>
  close(): Promise<void>
}

export function otherProducer(
  brokers: readonly string[],
  options: { transactionalId?: string; timeoutMs?: number; compression?: CompressionAlgorithmValue } = {},
): OtherProducer {
  const producer = new Producer({
    clientId: 'other',
    bootstrapBrokers: [...brokers],
    idempotent: true,
    transactionalId: options.transactionalId ?? randomUUID(),
    producerId: -1n,
    producerEpoch: -1,
    // Of the whole transaction, in this client.
    timeout: options.timeoutMs ?? 30_000,
    // A new broker takes a while to make the topic of its transactions.
    retries: 400,
    retryDelay: 5,
    ...(options.compression === undefined ? {} : { compression: options.compression }),
  })
  return { begin: () => producer.beginTransaction({}), close: () => producer.close(true) }
}

/** Sends in an open transaction, to partition 0. */
export async function sendIn(transaction: Transaction, topic: string, values: readonly string[]): Promise<void> {
  await transaction.send({ messages: values.map((value) => ({ topic, partition: 0, value: Buffer.from(value) })) })
}

export async function deleteTopic(brokers: readonly string[], topic: string): Promise<void> {
  const admin = new Admin({ clientId: 'other', bootstrapBrokers: [...brokers] })
  await admin.deleteTopics({ topics: [topic] })
  await admin.close()
}
