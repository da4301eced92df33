// What an instance begins with: its input, its variables, its deadlines; found first, so that a start that cannot be is
// refused before anything has happened.
import type { Json } from '../../base/json.ts'
import type { Violation } from '../../definition/schema.ts'
import { timeText } from '../../definition/time.ts'
import type { Workflow } from '../../definition/workflow.ts'
import { checkPayload, checkVars, taskErrorOf } from '../attempt.ts'
import type { InstanceStart } from '../command.ts'
import { armDeadlines, dueTimesOfInstance, type DueTimes } from '../deadlines.ts'
import { enterScope, followAhead } from '../entering.ts'
import { formatOf } from '../format.ts'
import { coordinates, messageOf, payloadOf, type MessageRoot, type SourceRecord } from '../message.ts'
import type { Outcome } from '../outcome.ts'
import { Payload } from '../payload.ts'
import { dateOf, instanceRoot, rootsFor } from '../roots.ts'
import type { InstanceRow, State } from '../state.ts'
import { traceOfStart } from '../trace.ts'
import type { World } from '../world.ts'
import { tellParent } from './parent.ts'
import { answer, remember, type StartRefusal } from './start-answer.ts'

/** An instance that can begin. */
export interface Beginning {
  readonly row: InstanceRow
  readonly workflow: Workflow
  readonly due: DueTimes
}

/** The instance that a start would begin now, or why there is none. */
export function prepare(
  command: InstanceStart,
  workflow: Workflow,
  state: State,
  world: World,
): Beginning | StartRefusal {
  try {
    const input = inputOf(command, workflow)
    const violations = workflow.input?.validate(input.value) ?? []
    if (violations.length > 0) return { code: 'input-invalid', message: describeViolations(violations), violations }
    const row = newInstance(command, workflow, checkPayload(input, 'the input'), world)
    const place = { state, instance: row, workflow, node: 0 }
    const due = dueTimesOfInstance(workflow, (each) => each.evaluate(rootsFor(place, each.uses, world.nowMs)), world)
    return { row, workflow, due }
  } catch (error) {
    const { code, message } = taskErrorOf(error)
    return { code: code === 'payload-too-large' ? 'payload-too-large' : 'expression', message }
  }
}

/** It begins, and whoever asked hears of it. */
export function begin(
  command: InstanceStart,
  { row, workflow, due }: Beginning,
  state: State,
  world: World,
  out: Outcome,
): Outcome {
  const { id: instanceId, key } = row
  out.event({ type: 'instance.started', row, start: command })
  remember(command, { outcome: 'started', instanceId, key }, state, world, out)
  armDeadlines(instanceId, -1, due, out)
  enterScope(row, workflow, workflow.root, 0, out)
  followAhead(row.id, workflow, out)
  if (row.parent !== undefined) tellParent(row.parent, { outcome: 'started' }, world, out)
  return answer(command, { outcome: 'started', instanceId, key }, out)
}

function newInstance(command: InstanceStart, workflow: Workflow, input: Payload, world: World): InstanceRow {
  const { origin, key } = command
  const id = `${world.newId()}-${world.partition}`
  const from = traceOfStart(command)
  const trace = world.tracing?.begin(id, from) ?? from
  const row: InstanceRow = {
    id,
    workflow: workflow.name,
    version: workflow.version,
    key,
    startedAtMs: world.nowMs,
    origin: originText(origin),
    due: origin.kind === 'schedule' ? origin.due : undefined,
    parent: origin.kind === 'parent' ? origin.parent : undefined,
    traceparent: trace?.traceparent,
    tracestate: trace?.tracestate,
    input,
    status: 'EXECUTING',
    endedAtMs: undefined,
    vars: none,
    attributes: noAttributes,
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
    ahead: [],
    timeline: [],
    timelineDropped: 0,
    stored: [],
  }
  if (workflow.vars.size > 0) row.vars = firstVars(row, workflow)
  return row
}

const none: ReadonlyMap<string, Json> = new Map()
const noAttributes: InstanceRow['attributes'] = new Map()

function firstVars(row: InstanceRow, workflow: Workflow): ReadonlyMap<string, Json> {
  const roots = { input: row.input.value, instance: instanceRoot(row) }
  const values = Array.from(workflow.vars, ([name, template]) => [name, template.evaluate(roots)] as const)
  checkVars(none, values)
  return new Map(values)
}

function originText(origin: InstanceStart['origin']): string {
  switch (origin.kind) {
    case 'record':
      return `record ${coordinates(origin.record)}`
    case 'parent':
      return `parent ${origin.parent.instanceId}`
    case 'schedule':
      return `schedule ${timeText(origin.due.dueAtMs)}`
    case 'api':
      return origin.by === undefined ? 'api' : `api ${origin.by}`
  }
}

const messageIn = (record: SourceRecord, workflow: Workflow): MessageRoot =>
  messageOf(record, formatOf(workflow, record.topic))

/** What a start gives its instance. @throws {ExpressionError | UnusableRecord} */
export function inputOf({ origin }: Pick<InstanceStart, 'origin'>, workflow: Workflow): Payload {
  switch (origin.kind) {
    case 'api':
    case 'parent':
      return origin.input
    case 'schedule': {
      const template = workflow.schedules.find(({ id }) => id === origin.due.trigger)?.input
      return Payload.of(template === undefined ? null : template.evaluate({ now: dateOf(origin.due.dueAtMs) }))
    }
    case 'record': {
      const message = messageIn(origin.record, workflow)
      const template = workflow.start[origin.trigger]?.input
      if (template !== undefined) return Payload.of(template.evaluate({ message, now: message.timestamp }))
      return payloadOf(origin.record, formatOf(workflow, origin.record.topic))
    }
  }
}

const describeViolations = (violations: readonly Violation[]): string =>
  `the input does not fit the workflow's schema: ${violations.map(({ pointer, message }) => `${pointer === '' ? '(the value)' : pointer} ${message}`).join('; ')}`
