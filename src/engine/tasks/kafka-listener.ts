// kafka-listener: waits for a record whose correlation values equal the instance's. The wait is a subscription on
// the partition of the first value, where records of that value come by in one order: a record cannot fall between
// subscribing and matching. Its number tells an answer to this wait from an answer to an earlier one.
import { limits } from '../../base/limits.ts'
import { partitionOfText } from '../../base/partitioner.ts'
import type { Expression } from '../../definition/expression.ts'
import { armTaskTimer, AttemptFailed, evaluate, identity, truncate } from '../attempt.ts'
import { canonicalText } from '../correlation.ts'
import type { Begin } from './behaviour.ts'

export const beginKafkaListener: Begin<'kafka-listener'> = (at, out) => {
  const { instance, task, world } = at
  const valueOf = (expression: Expression): string => {
    const value = evaluate(at, expression)
    const text = canonicalText(value)
    if (text === undefined || text.length > limits.keyLengthMax) {
      throw new AttemptFailed(
        'correlation-value',
        `correlate: ${expression.source} must give a text of at most ${limits.keyLengthMax} characters or a whole number, found ${truncate(JSON.stringify(value))}`,
      )
    }
    return text
  }
  const [value = '', ...others] = task.correlate.map((pair) => valueOf(pair.instance))
  const number = instance.subscriptions + 1
  const timer = task.timeoutMs === undefined ? undefined : armTaskTimer(at, world.nowMs + task.timeoutMs, out)
  out.event({
    type: 'task.executing',
    ...identity(at),
    open: { kind: 'record', number, value, timer },
  })
  out.send(world, partitionOfText(value, world.partitions), {
    type: 'channel.join',
    workflow: instance.workflow,
    topic: task.topic,
    value,
    waiter: {
      instanceId: instance.id,
      partition: world.partition,
      version: instance.version,
      task: at.node,
      number,
      sinceMs: world.nowMs,
      others,
    },
  })
}
