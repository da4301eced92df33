// How an attempt of a task fails: retried, given up for a person, failed for its scope, skipped, or gone on elsewhere.
//
//   failed ──attempts left──▶ SUBMITTED (retry timer) ──▶ next attempt
//     └──none left──▶ the first rule of onFailure that fits:
//                       incident ▶ FAILED, waits for a person
//                       fail     ▶ FAILED, its scope fails
//                       skip     ▶ SKIPPED                     edges live
//                       next     ▶ FAILED, and goes on         edges to what it chose live
import { assert } from '../base/assert.ts'
import type { TaskError } from '../base/errors.ts'
import { murmur2 } from '../base/partitioner.ts'
import type { FailureRule, RetryPolicy } from '../definition/workflow.ts'
import {
  armTaskTimer,
  evaluateSet,
  identity,
  isTrue,
  skippedEdges,
  taskErrorOf,
  truncate,
  type Attempt,
} from './attempt.ts'
import { rowAt } from './nodes.ts'
import { accept, type Outcome } from './outcome.ts'
import type { Payload } from './payload.ts'
import type { Extras } from './roots.ts'
import { recordUnknown } from './stopping.ts'
import { writeVars, type VarValues } from './vars.ts'

/** What `act` comes to; where the attempt fails in it, what it decided by then is discarded, and the attempt ends so. */
export function orFail(at: Attempt, act: (out: Outcome) => void, hints: FailureHints = {}): Outcome {
  const out = accept()
  try {
    act(out)
    return out
  } catch (error) {
    const failed = accept()
    failAttempt(at, taskErrorOf(error), failed, hints)
    return failed
  }
}

interface FailureHints {
  readonly isRetryable?: boolean
  readonly afterMs?: number | undefined
  readonly input?: Payload | undefined
}

/** Ends the attempt with an error: retries it, or settles the task by its `onFailure`. */
export function failAttempt(at: Attempt, error: TaskError, out: Outcome, hints: FailureHints = {}): void {
  const { world } = at
  const common = identity(at)
  const delayMs = hints.isRetryable === false ? undefined : retryDelayMs(at, error, hints.afterMs)
  if (delayMs !== undefined) {
    const dueAtMs = world.nowMs + delayMs
    const timer = armTaskTimer(at, dueAtMs, out)
    out.event({
      ...common,
      type: 'task.retry-scheduled',
      error,
      open: { kind: 'retry', dueAtMs, timer, input: hints.input },
    })
    return
  }
  settleFailed(at, error, out)
}

/** What the first rule of `onFailure` that fits says. A rule that cannot be evaluated leaves the task to a person. */
function settleFailed(at: Attempt, error: TaskError, out: Outcome): void {
  const { instance, task } = at
  const common = identity(at)
  let rule: FailureRule
  let values: VarValues | undefined
  try {
    rule = ruleFor(at, error)
    values = rule.set === undefined ? undefined : evaluateSet(at, rule.set, { error: errorRoot(at, error) })
  } catch (thrown) {
    const { message } = taskErrorOf(thrown)
    const failure = {
      code: 'expression',
      message: truncate(`onFailure: ${message}, after ${error.code}: ${error.message}`),
    }
    out.event({ ...common, type: 'task.failed', error: failure, hasIncident: true })
    return
  }
  // A compensation has no scope that could fail.
  const action = rule.action === 'fail' && task.aside === 'compensation' ? 'incident' : rule.action
  if (action !== 'incident') recordUnknown(at, error, out)
  if (action === 'incident') out.event({ ...common, type: 'task.failed', error, hasIncident: true })
  else if (action === 'skip') out.event({ ...common, type: 'task.skipped', edges: skippedEdges(task), error })
  else {
    const chosen = action === 'fail' ? undefined : action.next
    out.event({
      ...common,
      type: 'task.failed',
      error,
      hasIncident: false,
      ...(chosen === undefined ? {} : { chosen }),
    })
  }
  if (values !== undefined) writeVars(common, values, at.workflow, out)
  if (action === 'fail') out.follow({ type: 'scope.fail', instanceId: instance.id, task: at.node, error })
  else if (action !== 'incident') out.follow({ type: 'scope.advance', instanceId: instance.id, task: at.node })
}

/** @throws {ExpressionError | AttemptFailed} */
function ruleFor(at: Attempt, error: TaskError): FailureRule {
  const rule = at.task.onFailure.find(({ codes, when }) => {
    if (codes !== undefined && !codes.includes(error.code)) return false
    return when === undefined || isTrue(at, when, 'onFailure.when', { error: errorRoot(at, error) })
  })
  assert(rule !== undefined, 'F1: the last rule fits every failure')
  return rule
}

const errorRoot = (at: Attempt, error: TaskError): NonNullable<Extras['error']> => ({ ...error, task: at.task.name })

function retryDelayMs(at: Attempt, error: TaskError, afterMs: number | undefined): number | undefined {
  const policy = at.task.retry
  const row = rowAt(at.state, at.instance, at.node)
  const attempts = at.number - (row?.attemptsBefore ?? 0)
  if (policy.maxAttempts !== 0 && attempts >= policy.maxAttempts) return undefined
  if (policy.nonRetryable.includes(error.code)) return undefined
  const delayMs = Math.min(afterMs ?? intervalMs(policy, at, attempts), delayMsMax)
  const startedAtMs = row?.startedAtMs ?? at.world.nowMs
  if (policy.maxElapsedMs !== undefined && at.world.nowMs + delayMs - startedAtMs > policy.maxElapsedMs)
    return undefined
  return delayMs
}

/** As durations have it: a handler may name any number, and timers must stay far below 2^53. */
const delayMsMax = 3_650 * 86_400_000

const encoder = new TextEncoder()

/** Exponential, with a jitter that is drawn from the task's identity: the engine has no random (I11). */
function intervalMs(policy: RetryPolicy, at: Attempt, attempts: number): number {
  // Finite, because nothing times infinity is no number.
  const factor = Math.min(policy.backoffCoefficient ** (attempts - 1), Number.MAX_VALUE)
  const grown = policy.initialIntervalMs * factor
  const interval = Math.min(grown, policy.maxIntervalMs)
  const draw = (murmur2(encoder.encode(`${at.instance.id}/${at.node}/${at.number}`)) >>> 0) / 0x1_0000_0000
  return Math.round(interval * (1 + policy.jitter * (2 * draw - 1)))
}
