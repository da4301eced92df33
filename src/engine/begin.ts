// An attempt begins: `when` is asked, the deadlines are armed, and the task's type does the rest.
import { assert } from '../base/assert.ts'
import type { Task } from '../definition/workflow.ts'
import { isTrue, skipAttempt, skippedEdges, taskErrorOf, type Attempt } from './attempt.ts'
import { armDeadlines, dueTimesOf, type DueTimes } from './deadlines.ts'
import { failAttempt } from './failure.ts'
import { accept, type Outcome } from './outcome.ts'
import { leaveAhead, stopAt, stopInside } from './stopping.ts'
import type { Begin } from './tasks/behaviour.ts'
import { beginDecision } from './tasks/decision.ts'
import { beginFail, beginStop } from './tasks/ending.ts'
import { beginForEach } from './tasks/for-each.ts'
import { beginHandler } from './tasks/handler.ts'
import { beginHttp } from './tasks/http.ts'
import { beginInterval } from './tasks/interval.ts'
import { beginKafkaCommand } from './tasks/kafka-command.ts'
import { beginKafkaListener } from './tasks/kafka-listener.ts'
import { beginParallel } from './tasks/parallel.ts'
import { beginProcess } from './tasks/process.ts'
import { beginSignal } from './tasks/signal.ts'
import { beginSet } from './tasks/set.ts'
import { beginTrigger } from './tasks/trigger.ts'
import { beginWorkflow } from './tasks/workflow.ts'

/** Begins an attempt; what it throws fails it. Where it is entered for what lies in it, `when` is not asked. */
export function attempt(at: Attempt, { isForced = false } = {}): Outcome {
  const out = accept()
  // `when` is asked once, and deadlines count from the first attempt.
  let isLetIn = at.number > 1 || isForced
  let due: DueTimes | undefined
  try {
    if (!isLetIn && at.task.when !== undefined && !isTrue(at, at.task.when, 'when')) {
      stopAt(at, at.task, at.world, out)
      return skipAttempt(at, skippedEdges(at.task), out, { note: 'when: was false' })
    }
    if (at.number === 1) due = dueTimesOf(at)
    isLetIn = true
    begin(at, out)
    return watch(at, due, out)
  } catch (error) {
    const failed = accept()
    stopInside(at, at.task, at.world, failed)
    leaveAhead(at, at.world, failed)
    failAttempt(at, taskErrorOf(error), failed, { isRetryable: isLetIn })
    return watch(at, due, failed)
  }
}

/** Arms the deadlines of a task that is not settled at once. */
function watch(at: Attempt, due: DueTimes | undefined, out: Outcome): Outcome {
  if (due === undefined) return out
  const isOpen = out.events.some((event) => 'task' in event && event.task === at.node && opening.has(event.type))
  const waitsForPerson = out.events.some((event) => event.type === 'task.failed' && event.hasIncident)
  if (isOpen || waitsForPerson) armDeadlines(at.instance.id, at.node, due, out)
  return out
}

const opening: ReadonlySet<string> = new Set(['task.submitted', 'task.executing', 'task.retry-scheduled'])

type Beginners = { readonly [Type in Exclude<Task['type'], 'branch' | 'item'>]: Begin<Type> }

/** One line a task type; the compiler counts. */
const beginners: Beginners = {
  'kafka-command': beginKafkaCommand,
  'kafka-listener': beginKafkaListener,
  process: beginProcess,
  parallel: beginParallel,
  'for-each': beginForEach,
  workflow: beginWorkflow,
  interval: beginInterval,
  decision: beginDecision,
  set: beginSet,
  trigger: beginTrigger,
  handler: beginHandler,
  fail: beginFail,
  stop: beginStop,
  signal: beginSignal,
  http: beginHttp,
}

function begin(at: Attempt, out: Outcome): void {
  const { type } = at.task
  assert(type !== 'branch' && type !== 'item', 'T5: a branch or an item is not begun like this')
  // The table is by type: its entry is for this task.
  const beginner = beginners[type] as Begin<Task['type']>
  beginner(at, out)
}
