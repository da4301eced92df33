// kafka-listener: waits for a record whose correlation values equal the instance's. The wait is a subscription on
// the partition of the first value, where records of that value come by in one order: a record cannot fall between
// subscribing and matching. Its number tells an answer to this wait from an answer to an earlier one.
//
// L1. With `until` each record is taken by a subscription of its own, one after the other; what comes in between is kept
//     in the channel. The listener keeps its place in line and its timeout.
// L2. A listener whose values follow `vars` leaves the old value and waits for the new one.
import { limits } from '../../base/limits.ts'
import { partitionOfText } from '../../base/partitioner.ts'
import type { Expression } from '../../definition/expression.ts'
import type { KafkaListenerTask, Workflow } from '../../definition/workflow.ts'
import {
  armTaskTimer,
  AttemptFailed,
  checkPayload,
  completeAttempt,
  evaluate,
  evaluateSet,
  identity,
  isTrue,
  truncate,
  type Attempt,
} from '../attempt.ts'
import { canonicalText } from '../correlation.ts'
import { formatOf } from '../format.ts'
import { messageOf, payloadOf, type MessageRoot, type SourceRecord } from '../message.ts'
import { rowAt } from '../nodes.ts'
import type { Outcome } from '../outcome.ts'
import type { Payload } from '../payload.ts'
import type { OpenWork, Subscription } from '../state.ts'
import { withdraw } from '../stopping.ts'
import { writeVars } from '../vars.ts'
import type { Begin } from './behaviour.ts'

type Listening = Attempt<KafkaListenerTask>
type RecordWork = Extract<OpenWork, { kind: 'record' }>

export const beginKafkaListener: Begin<'kafka-listener'> = (at, out) => {
  const { instance, task, world } = at
  const ahead = instance.ahead.find((each) => each.task === at.node)
  const wanted = ahead ?? nextSubscription(at, instance.subscriptions + 1)
  const timer = task.timeoutMs === undefined ? undefined : armTaskTimer(at, world.nowMs + task.timeoutMs, out)
  out.event({ type: 'task.executing', ...identity(at), open: recordWork(wanted, timer) })
  if (ahead === undefined) subscribe(at, wanted, world.nowMs, out)
}

/** A record as a task of the workflow sees it. @throws {AttemptFailed} It is too large to be kept. */
export function recordOf(record: SourceRecord, workflow: Workflow): Omit<TakenRecord, 'note'> {
  const format = formatOf(workflow, record.topic)
  const message = messageOf(record, format)
  return { message, output: checkPayload(payloadOf(record, format), 'the record'), record }
}

interface TakenRecord {
  readonly record: SourceRecord
  readonly output: Payload
  readonly message: MessageRoot
  readonly note: string
}

/** The record that it waited for: the last one, or one more. @throws {ExpressionError | AttemptFailed} */
export function takeRecord(at: Listening, open: RecordWork, taken: TakenRecord, out: Outcome): void {
  const { message, note, output, record } = taken
  const { set, until } = at.task
  if (until === undefined) return completeAttempt(at, output, out, { extras: { message }, note, record })
  const extras = { message, output }
  const values = set === undefined ? [] : evaluateSet(at, set, extras)
  const vars = new Map([...at.instance.vars, ...values])
  const after = { ...at, instance: { ...at.instance, vars } }
  if (isTrue(after, until, 'until', extras)) return completeAttempt(at, output, out, { values, note, record })
  if (values.length > 0) writeVars(identity(at), values, at.workflow, out)
  listenOn(after, open, out)
}

/** L2: waits for the values as they are now, where those are others. @throws {ExpressionError | AttemptFailed} */
export function followVars(at: Listening, open: RecordWork, out: Outcome): void {
  if (isSame(nextSubscription(at, open.number), open)) return
  withdraw(at, open, out)
  listenOn(at, open, out)
}

type Values = Pick<Subscription, 'value' | 'others'>

/** True where both wait for the same. */
export const isSame = (one: Values, other: Values): boolean =>
  one.value === other.value && JSON.stringify(one.others) === JSON.stringify(other.others)

/** Another subscription, in the place of the one before. */
function listenOn(at: Listening, before: RecordWork, out: Outcome): void {
  const wanted = nextSubscription(at, at.instance.subscriptions + 1)
  out.event({ type: 'task.waiting', ...identity(at), open: recordWork(wanted, before.timer) })
  subscribe(at, wanted, rowAt(at.state, at.instance, at.node)?.startedAtMs ?? at.world.nowMs, out)
}

const recordWork = ({ number, value, others }: Subscription, timer: string | undefined): RecordWork => ({
  kind: 'record',
  number,
  value,
  others,
  timer,
})

/** For the values as they are now. @throws {ExpressionError | AttemptFailed} */
export function nextSubscription(at: Listening, number: number): Subscription {
  const [value = '', ...others] = valuesOf(at)
  return { task: at.node, number, value, others }
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

/** It joins the channel of its value, in line since then. */
export function subscribe(at: Listening, { value, others, number }: Subscription, sinceMs: number, out: Outcome): void {
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
