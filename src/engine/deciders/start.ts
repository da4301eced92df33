// Instances start: by a record, by a call, or as the child of another.
//
// I1. One start, one instance: `keys` says which instance a (workflow, key) has, on the key's own partition, so
//     every way to start obeys `onRunning`.
import type { Json } from '../../base/json.ts'
import { limits } from '../../base/limits.ts'
import type { Violation } from '../../definition/schema.ts'
import type { Workflow } from '../../definition/workflow.ts'
import { checkPayload, checkVars, taskErrorOf } from '../attempt.ts'
import type { InstanceStart } from '../command.ts'
import { armDeadlines, dueTimesOfInstance, type DueTimes } from '../deadlines.ts'
import type { StartAnswer } from '../effect.ts'
import { enterScope } from '../entering.ts'
import { coordinates, messageOf, type MessageRoot } from '../message.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import { Payload } from '../payload.ts'
import { instanceRoot, rootsFor } from '../roots.ts'
import { keyId, timerKey, type InstanceRow, type TimerTarget } from '../state.ts'
import type { World } from '../world.ts'
import { tellParent } from './child.ts'
import { expectWorkflow } from './instance.ts'

export const startInstance: Decider<'instance.start'> = (command, state, world) => {
  const out = accept()
  const workflow = expectWorkflow(world, command.version)
  const { origin, key } = command
  const answerId =
    origin.kind === 'api' && origin.idempotencyKey !== undefined
      ? keyId(workflow.name, origin.idempotencyKey)
      : undefined
  if (answerId !== undefined) {
    const first = state.answers.find(answerId)
    if (first !== undefined)
      return answer(command, out, { outcome: 'repeated', instanceId: first.instanceId, key: first.key })
  }
  const running = state.keys.find(keyId(workflow.name, key))
  if (running?.isOpen === true) {
    if (workflow.onRunning === 'ignore' && origin.kind !== 'parent') {
      out.event({ type: 'instance.not-started', reason: 'already-running' })
      if (answerId !== undefined)
        remember(answerId, { outcome: 'ignored', instanceId: running.instanceId, key }, world, out)
      return answer(command, out, { outcome: 'ignored', instanceId: running.instanceId, key })
    }
    return refuse(
      command,
      world,
      out,
      'already-running',
      `an instance of ${workflow.name} with the key '${key}' is running: ${running.instanceId}`,
    )
  }
  let row: InstanceRow
  let due: DueTimes
  try {
    const input = inputOf(command, workflow)
    const violations = workflow.input?.validate(input.value) ?? []
    if (violations.length > 0)
      return refuse(command, world, out, 'input-invalid', describeViolations(violations), violations)
    const begun = newInstance(command, workflow, checkPayload(input, 'the input'), world)
    row = begun
    const place = { state, instance: begun, workflow, node: 0 }
    due = dueTimesOfInstance(workflow, (each) => each.evaluate(rootsFor(place, each.uses, world.nowMs)), world)
  } catch (error) {
    const { code, message } = taskErrorOf(error)
    return refuse(command, world, out, code === 'payload-too-large' ? 'payload-too-large' : 'expression', message)
  }
  out.event({ type: 'instance.started', row })
  if (answerId !== undefined) remember(answerId, { outcome: 'started', instanceId: row.id, key }, world, out)
  armDeadlines(row.id, -1, due, out)
  enterScope(row, workflow, workflow.root, 0, out)
  if (row.parent !== undefined) tellParent(row.parent, { outcome: 'started' }, world, out)
  return answer(command, out, { outcome: 'started', instanceId: row.id, key })
}

function newInstance(command: InstanceStart, workflow: Workflow, input: Payload, world: World): InstanceRow {
  const { origin, key } = command
  const instance = {
    id: `${world.newId()}-${world.partition}`,
    workflow: workflow.name,
    version: workflow.version,
    key,
    startedAtMs: world.nowMs,
  }
  const vars = new Map<string, Json>()
  for (const [name, template] of workflow.vars) {
    vars.set(name, template.evaluate({ input: input.value, instance: instanceRoot(instance) }))
  }
  checkVars(new Map(), [...vars])
  return {
    ...instance,
    origin: originText(origin),
    parent: origin.kind === 'parent' ? origin.parent : undefined,
    traceparent: origin.kind === 'record' ? traceparentOf(messageOf(origin.record)) : undefined,
    input,
    status: 'EXECUTING',
    endedAtMs: undefined,
    vars,
    tasks: [],
    unsettled: workflow.root.tasks.length,
    slots: 0,
    ending: undefined,
    stopping: 0,
    undos: 0,
    unknowns: 0,
    deadlines: undefined,
    signals: [],
    deferred: 0,
    incidents: 0,
    output: undefined,
    error: undefined,
    subscriptions: 0,
    timeline: [],
    timelineDropped: 0,
    stored: [],
  }
}

function originText(origin: InstanceStart['origin']): string {
  switch (origin.kind) {
    case 'record':
      return `record ${coordinates(origin.record)}`
    case 'parent':
      return `parent ${origin.parent.instanceId}`
    case 'api':
      return 'api'
  }
}

/** As W3C Trace Context has it. Anything else is a stranger's text of any size, and is not carried on. */
const traceparent = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

function traceparentOf(message: MessageRoot): string | undefined {
  const text = message.headers['traceparent']
  return text !== undefined && traceparent.test(text) ? text : undefined
}

function inputOf(command: InstanceStart, workflow: Workflow): Payload {
  const { origin } = command
  if (origin.kind !== 'record') return origin.input
  const message = messageOf(origin.record)
  const template = workflow.start[origin.trigger]?.input
  if (template !== undefined) return Payload.of(template.evaluate({ message, now: message.timestamp }))
  return origin.record.value === null ? Payload.of(null) : Payload.ofBytes(origin.record.value, message.value)
}

function remember(
  answer: string,
  row: { outcome: 'started' | 'ignored'; instanceId: string; key: string },
  world: World,
  out: Outcome,
): void {
  const dueAtMs = world.nowMs + limits.idempotencyKeptMs
  const target: TimerTarget = { kind: 'forget-answer', answer }
  out.event({ type: 'answer.remembered', answer, row })
  out.event({ type: 'timer.armed', key: timerKey(dueAtMs, target), row: { dueAtMs, target } })
}

function answer(command: InstanceStart, out: Outcome, answer: StartAnswer): Outcome {
  return command.origin.kind === 'api' ? out.effect({ type: 'call.answer', call: command.origin.call, answer }) : out
}

/** A record goes to the dead-letter topic, a caller gets the rejection. */
function refuse(
  command: InstanceStart,
  world: World,
  out: Outcome,
  code: Extract<StartAnswer, { outcome: 'rejected' }>['code'],
  message: string,
  violations: readonly Violation[] = [],
): Outcome {
  out.event({ type: 'instance.not-started', reason: code })
  const { origin } = command
  if (origin.kind === 'parent') {
    const error = { code: 'start-refused', message: `${code}: ${message}` }
    tellParent(origin.parent, { outcome: 'failed', error }, world, out)
    return out
  }
  if (origin.kind === 'api') {
    return answer(command, out, {
      outcome: 'rejected',
      code,
      message,
      ...(violations.length > 0 ? { violations } : {}),
    })
  }
  return out
    .event({ type: 'record.dead-lettered', code })
    .produce({ type: 'dead-letter', record: origin.record, code, message, workflow: command.workflow })
}

const describeViolations = (violations: readonly Violation[]): string =>
  `the input does not fit the workflow's schema: ${violations.map(({ pointer, message }) => `${pointer === '' ? '(the value)' : pointer} ${message}`).join('; ')}`
