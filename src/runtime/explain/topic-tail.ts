// The last records of a topic as workflows read them, for who explains: bounded in records, partitions and time, and
// nothing of it is kept.
import { TransientFault } from '../../base/errors.ts'
import { partitionOfText } from '../../base/partitioner.ts'
import type { TopicFormat } from '../../definition/topic-format.ts'
import { decodingReader } from '../decoding-reader.ts'
import { readRange } from '../log-range.ts'
import type { Clock, Log, LogRecord } from '../ports.ts'

export interface TopicTail {
  readonly records: readonly LogRecord[]
  readonly partitionsLookedAt: number
  readonly partitions: number
  /** Why not all of it was read, in words. */
  readonly trouble: string | undefined
}

export interface TailOptions {
  readonly log: Log
  readonly clock: Clock
  readonly formatsOn: (topic: string) => readonly TopicFormat[]
}

/** In all, and of one partition: what a person would look through. */
const recordsMax = { inAll: 2_000, ofOneLeast: 20, ofOneMost: 500 } as const
const partitionsMax = 64
const timeMs = 3_000

/** A log whose readers decode what a registry has schemas for. */
export function decodingLog({ log, formatsOn }: TailOptions): Pick<Log, 'openReader'> {
  return {
    openReader: (options) =>
      decodingReader({
        reader: log.openReader(options),
        schemas: log.schemas,
        formats: () => formatsOn(options.topic),
        onReady: options.onReady,
      }),
  }
}

/** @param value whose partition, by Kafka's own partitioner, is looked at in any case. @throws {TransientFault} */
export async function readTail(topic: string, value: string, options: TailOptions): Promise<TopicTail> {
  const { log, clock } = options
  const partitions = (await log.describeTopics([topic])).get(topic)?.partitions ?? 0
  if (partitions === 0) return { records: [], partitionsLookedAt: 0, partitions, trouble: `there is no topic ${topic}` }
  const first = partitionOfText(value, partitions)
  const looked = [...Array(Math.min(partitions, partitionsMax)).keys()].map((number) => (first + number) % partitions)
  const { inAll, ofOneLeast, ofOneMost } = recordsMax
  const ofOne = Math.min(ofOneMost, Math.max(ofOneLeast, Math.floor(inAll / looked.length)))
  const reading = decodingLog(options)
  const records: LogRecord[] = []
  let trouble: string | undefined
  let isOver = false
  const read = async (partition: number): Promise<void> => {
    try {
      const { earliest, committedEnd } = await log.offsets(topic, partition)
      const range = { topic, partition, from: Math.max(earliest, committedEnd - ofOne), to: committedEnd }
      for await (const record of readRange(reading, clock, range)) {
        if (isOver) return
        records.push(record)
      }
    } catch (error) {
      if (!(error instanceof TransientFault)) throw error
      trouble = error.message
    }
  }
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const cancel = clock.after(timeMs, () => {
    trouble ??= `${topic} could not be read within ${timeMs / 1_000} s`
    resolve()
  })
  await Promise.race([Promise.all(looked.map(read)), late])
  isOver = true
  cancel()
  if (looked.length < partitions) trouble ??= `only ${looked.length} of ${partitions} partitions were looked at`
  return { records: [...records], partitionsLookedAt: looked.length, partitions, trouble }
}

/** One record; undefined: there is none at this offset. @throws {TransientFault} */
export async function readRecord(
  place: { readonly topic: string; readonly partition: number; readonly offset: number },
  options: TailOptions,
): Promise<LogRecord | undefined> {
  const { topic, partition, offset } = place
  const range = { topic, partition, from: offset, to: offset + 1 }
  for await (const record of readRange(decodingLog(options), options.clock, range)) return record
  return undefined
}
