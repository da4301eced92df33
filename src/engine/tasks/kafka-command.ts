// kafka-command: one record, produced in the transaction that completes the task. Exactly once, because the two
// cannot come apart. What the log refuses fails the attempt: the batch is decided again with the refusal known.
import type { Json } from '../../base/json.ts'
import { utf8 } from '../../base/utf8.ts'
import { limits } from '../../base/limits.ts'
import type { Template } from '../../definition/expression.ts'
import { isRegistered } from '../../definition/topic-format.ts'
import { AttemptFailed, completeAttempt, evaluate } from '../attempt.ts'
import { formatOf, writeKey, writeValue } from '../format.ts'
import { traceOf } from '../trace.ts'
import type { Begin } from './behaviour.ts'

export const beginKafkaCommand: Begin<'kafka-command'> = (at, out) => {
  const { instance, task, world } = at
  const refusal = world.refusal(instance.id, at.node, at.number)
  if (refusal !== undefined) throw new AttemptFailed(refusal.code, refusal.message)
  const valueOf = (template: Template): Json => evaluate(at, template)

  const topic = valueOf(task.topic)
  if (typeof topic !== 'string' || topic === '')
    throw new AttemptFailed('expression', `topic: expected a name, found ${JSON.stringify(topic)}`)
  if (world.isReserved(topic))
    throw new AttemptFailed('produce-rejected', `${topic} belongs to dagger-worker itself: nothing is produced to it`)
  const key = task.key === undefined ? instance.key : valueOf(task.key)
  const partition = task.partition === undefined ? undefined : valueOf(task.partition)
  if (partition !== undefined && (typeof partition !== 'number' || !Number.isInteger(partition) || partition < 0)) {
    throw new AttemptFailed(
      'expression',
      `partition: expected a whole number from 0, found ${JSON.stringify(partition)}`,
    )
  }
  const headers: { key: string; value: Uint8Array }[] = []
  for (const [name, template] of task.headers ?? []) headers.push({ key: name, value: utf8(text(valueOf(template))) })
  const trace = task.headers?.has('traceparent') === true ? undefined : traceOf(at, world)
  if (trace !== undefined) {
    headers.push({ key: 'traceparent', value: utf8(trace.traceparent) })
    if (trace.tracestate !== undefined && !task.headers?.has('tracestate'))
      headers.push({ key: 'tracestate', value: utf8(trace.tracestate) })
  }
  const format = formatOf(at.workflow, topic)
  const value = valueOf(task.value)
  const bytes =
    value === null
      ? null
      : isRegistered(format.value)
        ? world.encode(topic, 'value', format.value, value)
        : writeValue(value, format.value)
  if (bytes !== null && bytes.length > limits.recordBytesMax) {
    throw new AttemptFailed(
      'produce-rejected',
      `the record for ${topic} has ${bytes.length} bytes; at most ${limits.recordBytesMax} can be produced`,
    )
  }
  out.produce({
    type: 'command',
    instanceId: instance.id,
    task: at.node,
    attempt: at.number,
    topic,
    partition,
    key:
      key === null
        ? null
        : isRegistered(format.key)
          ? world.encode(topic, 'key', format.key, key)
          : writeKey(key, format.key),
    value: bytes,
    headers,
  })
  completeAttempt(at, undefined, out)
}

/** A text as it is, anything else as JSON. */
const text = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value))
