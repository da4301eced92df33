// An attempt begins: `when` is asked, the deadlines are armed, and the task's type does the rest.
import { InvariantViolation } from '../base/errors.ts'
import { isTrue, skipAttempt, skippedEdges, taskErrorOf, type Attempt } from './attempt.ts'
import { armDeadlines, dueTimesOf, type DueTimes } from './deadlines.ts'
import { failAttempt } from './failure.ts'
import { accept, type Outcome } from './outcome.ts'
import { leaveAhead, stopAt, stopInside } from './stopping.ts'
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

/** One line a task type; the compiler counts. */
function begin(at: Attempt, out: Outcome): void {
  const { task } = at
  switch (task.type) {
    case 'kafka-command':
      return beginKafkaCommand({ ...at, task }, out)
    case 'kafka-listener':
      return beginKafkaListener({ ...at, task }, out)
    case 'process':
      return beginProcess({ ...at, task }, out)
    case 'parallel':
      return beginParallel({ ...at, task }, out)
    case 'for-each':
      return beginForEach({ ...at, task }, out)
    case 'workflow':
      return beginWorkflow({ ...at, task }, out)
    case 'interval':
      return beginInterval({ ...at, task }, out)
    case 'decision':
      return beginDecision({ ...at, task }, out)
    case 'set':
      return beginSet({ ...at, task }, out)
    case 'trigger':
      return beginTrigger({ ...at, task }, out)
    case 'handler':
      return beginHandler({ ...at, task }, out)
    case 'fail':
      return beginFail({ ...at, task }, out)
    case 'stop':
      return beginStop({ ...at, task }, out)
    case 'signal':
      return beginSignal({ ...at, task }, out)
    case 'http':
      return beginHttp({ ...at, task }, out)
    case 'branch':
    case 'item':
      throw new InvariantViolation(`T5: a ${task.type} is not begun like this`)
  }
}
