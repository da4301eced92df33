// A document → a Workflow: defaults filled in, expressions compiled, the order of the tasks made explicit (scopes.ts).
// Tolerant: what the schema has already refused reads as absent, so that everything else is still looked at; what comes
// out of a document with problems is thrown away.
import { canonicalJson, digestOf, versionOf } from './canonical.ts'
import type { Compiler } from './compiler.ts'
import type { Cursor } from './cursor.ts'
import type { Expression } from './expression.ts'
import { given } from './given.ts'
import type { Report } from './report.ts'
import { compileInputSchema, InputSchemaError } from './schema.ts'
import type { InputSchema } from './schema.ts'
import { ScopeBuilder } from './scopes.ts'
import { buildMonitor, oneOf } from './task.ts'
import { buildFormats } from './topic-format.ts'
import type { KafkaListenerTask, RecordTrigger, ScheduleTrigger, Task, Workflow } from './workflow.ts'

const defaultRetentionMs = 24 * 3_600_000
const defaultStopTimeoutMs = 30_000
/** A stand-in for a schedule that does not compile. */
const never = { next: () => undefined }

/** A workflow on its way: what checks need besides. */
export interface Draft {
  readonly workflow: Workflow
  /** The document. */
  readonly root: Cursor
  /** Each task as it stands in the document. */
  readonly written: ReadonlyMap<Task, Cursor>
}

/** Builds the workflow; its problems go to the report. */
export function buildWorkflow(document: Cursor, compiler: Compiler, report: Report): Draft {
  const scopes = new ScopeBuilder(compiler)
  const outside = { scope: undefined, item: undefined }
  const root = scopes.scope(document.at('tasks'), outside)
  const monitor = buildMonitor(document.at('monitor'), compiler, {
    aside: (task, kind) => scopes.aside(task, 'workflow-monitor', outside, kind),
  })
  const { tasks, written } = scopes
  const starts = document.at('start').items.map((at, place) => ({ at, place }))
  const schedules = starts.filter(({ at }) => at.at('schedule').isGiven)
  const records = starts.filter((start) => !schedules.includes(start))
  const taskNamed = new Map<string, Task>()
  for (const task of tasks) if (!taskNamed.has(task.name)) taskNamed.set(task.name, task)
  const name = document.at('workflow').text ?? ''
  const label = document.at('version').text ?? document.at('version').number?.toString()
  const source = canonicalJson(document.value ?? null)
  const updates = document.at('updates').value
  const workflow: Workflow = {
    name,
    version: versionOf(name, source),
    onRunning: oneOf(document.at('onRunning'), ['ignore', 'reject', 'replace', 'queue']),
    onClosed: oneOf(document.at('onClosed'), ['start', 'start-if-failed', 'ignore']),
    start: records.map(({ at, place }, index) => buildRecordTrigger(at, place, index, compiler)),
    schedules: schedules.map(({ at, place }) => buildScheduleTrigger(at, place, compiler)),
    formats: buildFormats(document.at('topics')),
    vars: compiler.templates(document.at('vars'), 'vars') ?? new Map(),
    attributes: buildAttributes(document.at('attributes'), compiler),
    tasks,
    taskNamed,
    root,
    ahead: tasks.filter((task): task is KafkaListenerTask => task.type === 'kafka-listener' && task.skipAhead),
    retentionMs: compiler.duration(document.at('retention')) ?? defaultRetentionMs,
    stopTimeoutMs: compiler.duration(document.at('stopTimeout')) ?? defaultStopTimeoutMs,
    source,
    ...(typeof updates === 'boolean' ? { updates } : {}),
    ...given('maxDurationMs', compiler.duration(document.at('maxDuration'), 1)),
    ...given('monitor', monitor),
    ...given('label', label),
    ...given('description', document.at('description').text),
    ...given('input', buildInput(document.at('input'), report)),
    ...given('output', compiler.template(document.at('output'), 'task')),
  }
  return { workflow, root: document, written }
}

function buildRecordTrigger(start: Cursor, place: number, index: number, compiler: Compiler): RecordTrigger {
  return {
    index,
    place,
    topic: start.at('topic').text ?? '',
    from: start.at('from').text === 'earliest' ? 'earliest' : 'latest',
    ...given('when', compiler.condition(start.at('when'), 'start')),
    ...given('key', compiler.template(start.at('key'), 'start')),
    ...given('input', compiler.template(start.at('input'), 'start')),
  }
}

function buildScheduleTrigger(start: Cursor, place: number, compiler: Compiler): ScheduleTrigger {
  return {
    place,
    id: digestOf(canonicalJson(start.value ?? null)).slice(0, 16),
    times: compiler.schedule(start.at('schedule'), start.at('timezone')) ?? never,
    overlap: oneOf(start.at('overlap'), ['skip', 'all', 'latest']),
    catchUpMs: compiler.duration(start.at('catchUp')) ?? 0,
    ...given('input', compiler.template(start.at('input'), 'schedule')),
  }
}

function buildAttributes(attributes: Cursor, compiler: Compiler): ReadonlyMap<string, Expression> {
  return new Map(
    attributes.entries.flatMap(([name, at]) => {
      const expression = compiler.expression(at, 'attribute')
      return expression === undefined ? [] : [[name, expression] as const]
    }),
  )
}

function buildInput(input: Cursor, report: Report): InputSchema | undefined {
  if (input.value === undefined) return undefined
  try {
    return compileInputSchema(input.value)
  } catch (error) {
    if (!(error instanceof InputSchemaError)) throw error
    report.add(error.code, [...input.path, ...error.path], error.message)
    return undefined
  }
}
