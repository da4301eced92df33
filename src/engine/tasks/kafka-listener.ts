// kafka-listener: waits for a record whose correlation values equal the instance's. The wait is a subscription on
// the partition of the first value, where records of that value come by in one order: a record cannot fall between
// subscribing and matching. Its number tells an answer to this wait from an answer to an earlier one.
//
// L1. With `until` each record is taken by a subscription of its own, one after the other; what comes in between is kept
//     in the channel. The listener keeps its place in line and its timeout.
// L2. A listener whose values follow `vars` leaves the old value and waits for the new one.
import { limits } from '../../base/limits.ts'
import { partitionOfText } from '../../base/partitioner.ts'
import type { Json } from '../../base/json.ts'
import type { Expression } from '../../definition/expression.ts'
import type { KafkaListenerTask } from '../../definition/workflow.ts'
import {
  armTaskTimer,
  AttemptFailed,
  completeAttempt,
  evaluate,
  evaluateSet,
  identity,
  isTrue,
  truncate,
  type Attempt,
} from '../attempt.ts'
import { canonicalText } from '../correlation.ts'
import type { MessageRoot } from '../message.ts'
import { rowAt } from '../nodes.ts'
import type { Outcome } from '../outcome.ts'
import type { Payload } from '../payload.ts'
import type { OpenWork } from '../state.ts'
import { withdraw } from '../stopping.ts'
import { writeVars } from '../vars.ts'
import type { Begin } from './behaviour.ts'

type Listening = Attempt<KafkaListenerTask>
type RecordWork = Extract<OpenWork, { kind: 'record' }>

export const beginKafkaListener: Begin<'kafka-listener'> = (at, out) => {
  const { task, world } = at
  const values = valuesOf(at)
  const timer = task.timeoutMs === undefined ? undefined : armTaskTimer(at, world.nowMs + task.timeoutMs, out)
  const open = openWork(at, values, timer)
  out.event({ type: 'task.executing', ...identity(at), open })
  subscribe(at, open, world.nowMs, out)
}

/** The record that it waited for: the last one, or one more. @throws {ExpressionError | AttemptFailed} */
export function takeRecord(
  at: Listening,
  open: RecordWork,
  record: { readonly output: Payload; readonly message: MessageRoot; readonly note: string },
  out: Outcome,
): void {
  const { message, note, output } = record
  const { set, until } = at.task
  if (until === undefined) return completeAttempt(at, output, out, { extras: { message }, note })
  const extras = {
    message,
    get output(): Json {
      return output.value
    },
  }
  const values = set === undefined ? [] : evaluateSet(at, set, extras)
  const vars = new Map([...at.instance.vars, ...values])
  const after = { ...at, instance: { ...at.instance, vars } }
  if (isTrue(after, until, 'until', extras)) return completeAttempt(at, output, out, { values, note })
  if (values.length > 0) writeVars(identity(at), values, at.workflow, out)
  listenOn(after, open, out)
}

/** L2: waits for the values as they are now, where those are others. @throws {ExpressionError | AttemptFailed} */
export function followVars(at: Listening, open: RecordWork, out: Outcome): void {
  const [value, ...others] = valuesOf(at)
  if (value === open.value && others.join() === open.others.join()) return
  withdraw(at, open, out)
  listenOn(at, open, out)
}

/** Another subscription, in the place of the one before. */
function listenOn(at: Listening, before: RecordWork, out: Outcome): void {
  const open = openWork(at, valuesOf(at), before.timer)
  out.event({ type: 'task.waiting', ...identity(at), open })
  subscribe(at, open, rowAt(at.state, at.instance, at.node)?.startedAtMs ?? at.world.nowMs, out)
}

function openWork({ instance }: Listening, values: readonly string[], timer: string | undefined): RecordWork {
  const [value = '', ...others] = values
  return { kind: 'record', number: instance.subscriptions + 1, value, others, timer }
}

/** The instance's side of its pairs. @throws {ExpressionError | AttemptFailed} */
function valuesOf(at: Listening): readonly string[] {
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
  return at.task.correlate.map((pair) => valueOf(pair.instance))
}

function subscribe(at: Listening, { value, others, number }: RecordWork, sinceMs: number, out: Outcome): void {
  const { instance, task, world } = at
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
      sinceMs,
      others,
    },
  })
}
