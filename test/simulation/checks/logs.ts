// I9, I10, I11, I13: what stands in the topics: in which order, by whom, and from where.
import { createHash } from 'node:crypto'
import type { Travelling } from '../../../src/engine/command.ts'
import type { SourceRecord } from '../../../src/engine/message.ts'
import type { Seeing } from '../committed.ts'
import type { Evidence } from './finished.ts'
import { takingsOf } from './listeners.ts'

/** I9: what a source partition holds for a value or key reaches the partition where that lives in its order. */
export function* orderIsKept({ committed }: Evidence): Generator<string> {
  // Coordinates do not tell which creation of a topic they are of: where there are several, offsets begin again.
  const isAnew = (topic: string) => new Set(committed.history.all(topic).map(({ topicId }) => topicId)).size > 1
  const reached = new Map<string, number>()
  for (const { partition, command } of committed.hops) {
    if (command.type !== 'channel.publish' && command.type !== 'instance.start') continue
    const record = recordOf(command)
    if (record === undefined) continue
    const way = `${record.topic}/${record.partition} → ${partition}`
    const before = reached.get(way) ?? -1
    if (record.offset < before && !isAnew(record.topic))
      yield `I9: ${way}: offset ${record.offset} came after ${before}`
    reached.set(way, record.offset)
  }
}

/** I10: the changelog of a partition is written under its own transactional id, and the epochs of that never fall. */
export function* epochsGrow({ committed }: Evidence): Generator<string> {
  for (const { partition, records } of committed.changelogs) {
    let last: { producerId: number; epoch: number } = { producerId: -1, epoch: -1 }
    for (const { offset, writer } of records) {
      const where = `partition ${partition}, offset ${offset}`
      if (writer === undefined || !writer.transactionalId.endsWith(`-${partition}`)) {
        yield `I10: ${where} was written by ${writer?.transactionalId ?? 'a producer with no transaction'}`
        continue
      }
      const { producerId, epoch } = writer
      if (producerId < last.producerId || (producerId === last.producerId && epoch < last.epoch))
        yield `I10: ${where}: epoch ${producerId}:${epoch} after ${last.producerId}:${last.epoch}`
      last = { producerId, epoch }
    }
  }
}

/** I13: whatever is told of, it is a committed record that told it. */
export function* nothingAborted(run: Evidence): Generator<string> {
  const { committed, instances, sources } = run
  const known = new Set(sources.map(({ coordinates }) => coordinates))
  function* check(place: string, what: string): Generator<string> {
    if (!known.has(place)) yield `I13: ${what} tells of ${place}, which was never committed`
  }
  for (const { last } of instances) {
    if (last.origin.startsWith('record ')) yield* check(last.origin.slice(7), `the start of ${last.id}`)
  }
  for (const { life, place } of takingsOf(run)) yield* check(place, `a listener of ${life.id}`)
  for (const { last } of committed.lives('kept')) yield* check(placeOf(last.record), `kept record ${last.number}`)
  for (const { source, code } of committed.letters) yield* check(source, `a dead letter (${code})`)
  for (const { command } of committed.hops) {
    const record = recordOf(command)
    if (record !== undefined) yield* check(placeOf(record), `a ${command.type} in an inbox`)
  }
}

/** I11: SHA-256 of all that was committed, in hex: who has the same inputs has the same of it, byte for byte. */
export function hashOf(history: Seeing): string {
  const hash = createHash('sha256')
  for (const place of history.places()) {
    const slash = place.lastIndexOf('/')
    for (const { offset, key, value } of history.of(place.slice(0, slash), Number(place.slice(slash + 1))))
      hash
        .update(`${place}@${offset}`)
        .update(key ?? '-')
        .update(value ?? '-')
  }
  return hash.digest('hex')
}

/** The source record that a command carries. */
export function recordOf(command: Travelling): SourceRecord | undefined {
  switch (command.type) {
    case 'instance.start':
      return command.origin.kind === 'record' ? command.origin.record : undefined
    case 'channel.publish':
    case 'channel.return':
    case 'instance.correlate':
    case 'record.hand-out':
      return command.record
    default:
      return undefined
  }
}

export const placeOf = ({ topic, partition, offset }: { topic: string; partition: number; offset: number }): string =>
  `${topic}/${partition}@${offset}`
