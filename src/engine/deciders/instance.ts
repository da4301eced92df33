// Instances: start, end, and being forgotten.
//
//   start ──▶ EXECUTING ──root scope complete──▶ COMPLETED ──retention──▶ (deleted)
//                 └───────root scope failed────▶ FAILED    ──retention──▶ (deleted)
//
// I1. One start, one instance: `keys` says which instance a (workflow, key) has, on the key's own partition, so
//     every way to start obeys `onRunning`.
// An instance that ends takes what was kept for it along (`channel.purge`), so that a late duplicate never answers
// the next instance with its key.
import { partitionOfText } from '../../base/partitioner.ts'
import type { Json } from '../../base/json.ts'
import { limits } from '../../base/limits.ts'
import { assert } from '../../base/assert.ts'
import type { Violation } from '../../definition/schema.ts'
import type { Workflow } from '../../definition/workflow.ts'
import { checkPayload, checkVars, isUnfinished, stopTask, taskErrorOf } from '../attempt.ts'
import type { InstanceStart } from '../command.ts'
import { canonicalText } from '../correlation.ts'
import type { StartAnswer } from '../effect.ts'
import { coordinates, messageOf, type MessageRoot } from '../message.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import { Payload } from '../payload.ts'
import { reject } from '../rejection.ts'
import { instanceRoot, rootsFor } from '../roots.ts'
import { keyId, timerKey, type InstanceRow, type TimerTarget } from '../state.ts'
import type { World } from '../world.ts'

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
    if (workflow.onRunning === 'ignore') {
      out.event({ type: 'instance.not-started', reason: 'already-running' })
      if (answerId !== undefined)
        remember(answerId, { outcome: 'ignored', instanceId: running.instanceId, key }, world, out)
      return answer(command, out, { outcome: 'ignored', instanceId: running.instanceId, key })
    }
    return refuse(
      command,
      out,
      'already-running',
      `an instance of ${workflow.name} with the key '${key}' is running: ${running.instanceId}`,
    )
  }
  let row: InstanceRow
  try {
    const input = inputOf(command, workflow)
    const violations = workflow.input?.validate(input.value) ?? []
    if (violations.length > 0) return refuse(command, out, 'input-invalid', describeViolations(violations), violations)
    row = newInstance(command, workflow, checkPayload(input, 'the input'), world)
  } catch (error) {
    const { code, message } = taskErrorOf(error)
    return refuse(command, out, code === 'payload-too-large' ? 'payload-too-large' : 'expression', message)
  }
  out.event({ type: 'instance.started', row })
  if (answerId !== undefined) remember(answerId, { outcome: 'started', instanceId: row.id, key }, world, out)
  for (const task of workflow.root.tasks) {
    if (task.dependsOn.length === 0) out.follow({ type: 'task.activate', instanceId: row.id, task: task.index })
  }
  return answer(command, out, { outcome: 'started', instanceId: row.id, key })
}

export const completeInstance: Decider<'instance.complete'> = (command, state, world) => {
  const out = accept()
  const instance = state.instances.find(command.instanceId)
  if (instance === undefined) return reject('instance-not-found')
  // Branches that end in one batch each find their root scope complete: the first of them ends the instance.
  if (instance.status !== 'EXECUTING') return reject('instance-closed')
  // It waits for a person already: to end now would hide that.
  if (instance.error !== undefined) return reject('instance-has-incident')
  const workflow = expectWorkflow(world, instance.version)
  let output: Payload | undefined
  try {
    if (workflow.output !== undefined) {
      const value = workflow.output.evaluate(rootsFor(workflow.output.uses, workflow, instance, world.nowMs))
      output = checkPayload(Payload.of(value), 'the output')
    }
  } catch (error) {
    const failure = taskErrorOf(error)
    return out.event({
      type: 'instance.incident-raised',
      instanceId: instance.id,
      error: { code: failure.code, message: `output: ${failure.message}` },
      atMs: world.nowMs,
    })
  }
  out.event({ type: 'instance.completed', instanceId: instance.id, output, atMs: world.nowMs })
  return endInstance(instance, workflow, world, out)
}

export const failInstance: Decider<'instance.fail'> = (command, state, world) => {
  const out = accept()
  const instance = state.instances.find(command.instanceId)
  if (instance === undefined) return reject('instance-not-found')
  if (instance.status !== 'EXECUTING') return reject('instance-closed')
  const workflow = expectWorkflow(world, instance.version)
  for (const task of workflow.tasks) {
    const row = instance.tasks[task.index]
    if (isUnfinished(row)) stopTask({ instance, task, world }, row, out)
  }
  out.event({ type: 'instance.failed', instanceId: instance.id, error: command.error, atMs: world.nowMs })
  return endInstance(instance, workflow, world, out)
}

export const suspectInstance: Decider<'instance.suspect'> = (command, state, world) => {
  const instance = state.instances.find(command.instanceId)
  if (instance === undefined) return reject('instance-not-found')
  if (instance.status !== 'EXECUTING') return reject('instance-closed')
  return accept().event({
    type: 'instance.incident-raised',
    instanceId: instance.id,
    error: command.error,
    atMs: world.nowMs,
  })
}

export const forgetInstance: Decider<'instance.forget'> = (command, state) => {
  if (state.instances.find(command.instanceId) === undefined) return reject('instance-not-found')
  return accept().event({ type: 'instance.forgotten', instanceId: command.instanceId })
}

export function expectWorkflow(world: World, version: string): Workflow {
  const workflow = world.catalogue.find(version)
  assert(workflow !== undefined, `E1: version ${version} is known before a command that names it is decided`)
  return workflow
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
    origin: origin.kind === 'record' ? `record ${coordinates(origin.record)}` : 'api',
    traceparent: origin.kind === 'record' ? traceparentOf(messageOf(origin.record)) : undefined,
    input,
    status: 'EXECUTING',
    endedAtMs: undefined,
    vars,
    tasks: [],
    incidents: 0,
    output: undefined,
    error: undefined,
    subscriptions: 0,
    timeline: [],
    timelineDropped: 0,
    stored: [],
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
  if (origin.kind === 'api') return origin.input
  const message = messageOf(origin.record)
  const template = workflow.start[origin.trigger]?.input
  if (template !== undefined) return Payload.of(template.evaluate({ message, now: message.timestamp }))
  return origin.record.value === null ? Payload.of(null) : Payload.ofBytes(origin.record.value, message.value)
}

function endInstance(instance: InstanceRow, workflow: Workflow, world: World, out: Outcome): Outcome {
  for (const [topic, value] of valuesListenedTo(instance, workflow, world)) {
    out.send(world, partitionOfText(value, world.partitions), {
      type: 'channel.purge',
      workflow: workflow.name,
      topic,
      value,
      fromMs: instance.startedAtMs,
      toMs: world.nowMs,
    })
  }
  if (workflow.retentionMs === 0) return out.follow({ type: 'instance.forget', instanceId: instance.id })
  const dueAtMs = world.nowMs + workflow.retentionMs
  const target: TimerTarget = { kind: 'forget-instance', instanceId: instance.id }
  return out.event({ type: 'timer.armed', key: timerKey(dueAtMs, target), row: { dueAtMs, target } })
}

/** Every (topic, value) that a listener of the instance waited for or would have: those it never reached included. */
function valuesListenedTo(
  instance: InstanceRow,
  workflow: Workflow,
  world: World,
): Iterable<readonly [string, string]> {
  const values = new Map<string, readonly [string, string]>()
  for (const task of workflow.tasks) {
    if (task.type !== 'kafka-listener') continue
    const expression = task.correlate[0]?.instance
    if (expression === undefined) continue
    try {
      const value = canonicalText(expression.evaluate(rootsFor(expression.uses, workflow, instance, world.nowMs)))
      if (value !== undefined) values.set(`${task.topic}/${value}`, [task.topic, value])
    } catch (error) {
      // A listener that was never reached may name what never came to be: then nothing was kept for it either.
      taskErrorOf(error)
    }
  }
  return values.values()
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
  out: Outcome,
  code: Extract<StartAnswer, { outcome: 'rejected' }>['code'],
  message: string,
  violations: readonly Violation[] = [],
): Outcome {
  out.event({ type: 'instance.not-started', reason: code })
  const { origin } = command
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

/** The partition of an instance, from its id. undefined: not an id of this engine. */
export function partitionOfInstance(instanceId: string): number | undefined {
  const match = /^[0-9a-z]{26}-(\d{1,5})$/.exec(instanceId)
  return match === null ? undefined : Number(match[1])
}
