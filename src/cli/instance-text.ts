// An instance and its timeline as text.
import type { InstanceStatus, InstanceSummary, InstanceView, TaskView, TimelineEntry } from '../runtime/face.ts'
import { compactJson, duration, paintStatus, printable, type Style, table } from './output.ts'

const terminal: ReadonlySet<InstanceStatus> = new Set(['COMPLETED', 'FAILED', 'STOPPED'])
/** Longer outputs are cut in tables; `--json` has all of it. */
const cellLengthMax = 60

export function isTerminal(status: InstanceStatus): boolean {
  return terminal.has(status)
}

/** "EXECUTING", "EXECUTING, 1 incident". */
export function statusText(instance: InstanceSummary, style: Style): string {
  const status = paintStatus(style, instance.status)
  if (instance.incidents === 0) return status
  return `${status}, ${style.red(`${instance.incidents} incident${instance.incidents === 1 ? '' : 's'}`)}`
}

/** "customer=c-17 amount=12". */
export function attributesText({ attributes = {} }: InstanceSummary): string {
  return Object.entries(attributes)
    .map(([name, value]) => printable(`${name}=${String(value)}`))
    .join(' ')
}

/** "0.4 s" from start to end, or to now for one that is under way. */
export function elapsed(from: string, to: string | undefined, nowMs = Date.now()): string {
  return duration((to === undefined ? nowMs : Date.parse(to)) - Date.parse(from))
}

/** One line of a timeline: time of day in UTC, task, status, attempt, note. `taskWidth` aligns what follows. */
export function timelineLine(entry: TimelineEntry, style: Style, taskWidth = 0): string {
  const task = entry.task ?? 'instance'
  const attempt = entry.attempt !== undefined && entry.attempt > 1 ? style.dim(` attempt ${entry.attempt}`) : ''
  const note = entry.note === undefined ? '' : `  ${style.dim(printable(entry.note))}`
  const name = (entry.task === undefined ? style.bold(task) : task) + ' '.repeat(Math.max(0, taskWidth - task.length))
  return `${style.dim(timeOfDay(entry.at))}  ${name}  ${paintStatus(style, entry.status)}${attempt}${note}`
}

/** The width that aligns the names in an instance's timeline. */
export function taskWidthOf(instance: InstanceView): number {
  return Math.max('instance'.length, ...instance.tasks.map((task) => task.name.length))
}

/** Everything about an instance: header, tasks, values, timeline. */
export function* instanceLines(instance: InstanceView, style: Style): Generator<string> {
  yield `${style.bold(`${instance.workflow}/${printable(instance.key)}`)}  ${statusText(instance, style)}`
  yield* table(
    [
      ['id', instance.id],
      ['version', instance.version],
      ['origin', printable(instance.origin)],
      ['started', instance.startedAt],
      ...(instance.endedAt === undefined ? [] : [['ended', instance.endedAt]]),
      ['took', elapsed(instance.startedAt, instance.endedAt) + (instance.endedAt === undefined ? ' so far' : '')],
      ['partition', String(instance.partition)],
      ...(instance.attributes === undefined ? [] : [['attributes', attributesText(instance)]]),
      ...Object.entries(instance.attributesAbsent ?? {}).map(([name, why]) => [
        '',
        printable(`no ${name}: ${why.split('\n', 1)[0]}`),
      ]),
    ].map(([name, value]) => [style.dim(name!), value!]),
    '  ',
  )
  yield ''
  yield style.bold('Tasks')
  yield* table(
    [
      ['TASK', 'TYPE', 'STATUS', 'ATTEMPT', 'STARTED', 'TOOK', ''].map((head) => style.dim(head)),
      ...instance.tasks.map((task) => taskRow(task, style)),
    ],
    '  ',
  )
  if (instance.tasksLeftOut > 0)
    yield style.dim(`  … and ${instance.tasksLeftOut} more tasks in items that are under way or have failed`)
  yield ''
  yield* valueLines('Input', instance.input, style)
  if (Object.keys(instance.vars).length > 0) yield* valueLines('Vars', instance.vars, style)
  if (instance.output !== undefined) yield* valueLines('Output', instance.output, style)
  if (instance.error !== undefined) {
    yield `${style.bold('Error')}  ${style.red(printable(instance.error.code))}: ${printable(instance.error.message)}`
  }
  yield ''
  yield style.bold('Timeline') + style.dim(' (UTC)')
  if (instance.timelineDropped > 0) yield style.dim(`  … ${instance.timelineDropped} older entries are not kept`)
  const width = taskWidthOf(instance)
  for (const entry of instance.timeline) yield `  ${timelineLine(entry, style, width)}`
}

function taskRow(task: TaskView, style: Style): readonly string[] {
  const { scope } = task
  const name = scope === undefined || task.name.startsWith(scope) ? task.name : `${scope} › ${task.name}`
  const more =
    task.error !== undefined
      ? style.red(`${printable(task.error.code)}: ${printable(task.error.message)}`)
      : task.waitsFor !== undefined
        ? `waits for ${printable(task.waitsFor)}`
        : task.output !== undefined && task.output !== null
          ? style.dim(compactJson(task.output, cellLengthMax))
          : ''
  return [
    printable(name),
    task.type,
    paintStatus(style, task.status) + (task.hasIncident ? style.red(' (incident)') : ''),
    task.attempt > 0 ? String(task.attempt) : '',
    task.startedAt === undefined ? '' : timeOfDay(task.startedAt),
    task.startedAt === undefined || task.endedAt === undefined ? '' : elapsed(task.startedAt, task.endedAt),
    more,
  ]
}

function valueLines(name: string, value: unknown, style: Style): readonly string[] {
  const text = JSON.stringify(value, null, 2) ?? 'null'
  const lines = text.split('\n').map(printable)
  return [`${style.bold(name)}  ${lines[0]}`, ...lines.slice(1)]
}

function timeOfDay(at: string): string {
  return at.slice(11, 23)
}
