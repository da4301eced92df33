// Why, as text: an instance's open tasks, and what became of a record.
import type {
  Help,
  InstanceExplanation,
  ListenerExplanation,
  RecordExplanation,
  RecordOutcome,
  TaskExplanation,
} from '../runtime/face.ts'
import { compactJson, duration, paintStatus, printable, shellQuoted, table, type Style } from './output.ts'

const progressMax = 100

/** @param command of an action, for people to copy */
export function* instanceExplanationLines(
  told: InstanceExplanation,
  style: Style,
  command: (help: Help) => string,
): Generator<string> {
  yield `${style.bold(`${told.workflow}/${printable(told.key)}`)}  ${paintStatus(style, told.status)}  ${style.dim(told.id)}`
  yield printable(told.summary)
  if (told.error !== undefined) yield `  ${style.red(printable(told.error.code))}: ${printable(told.error.message)}`
  const collected = Object.entries(told.collected ?? {})
  if (collected.length > 0)
    yield `  collected so far: ${collected.map(([kind, count]) => `${count} ${kind}`).join(', ')}`
  for (const { place, origin } of told.queued) yield `  start ${place} that waits for its end: ${printable(origin)}`
  yield* helpLines(told.help, command, style, '  ')
  for (const task of told.tasks) {
    yield ''
    yield* taskLines(task, style, command)
  }
  if (told.tasksLeftOut > 0) yield style.dim(`… and ${told.tasksLeftOut} more tasks`)
}

function* taskLines(told: TaskExplanation, style: Style, command: (help: Help) => string): Generator<string> {
  const attempts = told.attemptsMax === 0 ? '' : ` of ${told.attemptsMax}`
  const attempt = told.attempt > 0 ? style.dim(`  attempt ${told.attempt}${attempts}`) : ''
  const kind = told.kind === 'incident' ? style.red('incident') : style.cyan(told.kind)
  yield `${style.bold(printable(told.task))}  ${kind}${attempt}`
  yield `  waits for ${printable(told.waitsFor)}`
  yield `  since ${told.since} (${duration(Date.now() - Date.parse(told.since))})`
  if (told.until !== undefined) {
    const left = duration(Date.parse(told.until) - Date.now())
    yield `  until ${told.until} (in ${left})${told.afterwards === undefined ? '' : `: then ${told.afterwards}`}`
  }
  if (told.error !== undefined) yield `  ${style.red(printable(told.error.code))}: ${printable(told.error.message)}`
  if (told.listener !== undefined) yield* listenerLines(told.listener, style)
  const { handler, child } = told
  if (handler !== undefined) {
    const slots = `${handler.slotsBusy} of ${handler.slots} slots in use`
    const behind = handler.behind === undefined ? '' : `, behind ${handler.behind} others`
    const run = handler.run > 0 ? `, run ${handler.run}` : ''
    const own = handler.concurrency === undefined ? '' : `, at most ${handler.concurrency} of it at once`
    yield `  handler ${printable(handler.handler)}: ${handler.state} in worker ${handler.worker}${run}${behind} (${slots}${own})`
    if (handler.heardAt !== undefined)
      yield `  last heard of at ${handler.heardAt}: ${compactJson(handler.progress ?? null, progressMax)}`
  }
  if (child !== undefined) {
    const how = child.status === undefined ? 'not known in this worker' : paintStatus(style, child.status)
    yield `  child ${child.workflow}/${printable(child.key)}: ${how}${(child.incidents ?? 0) > 0 ? style.red(', with an incident') : ''}`
  }
  yield* helpLines(told.help, command, style, '  ')
}

function* listenerLines(told: ListenerExplanation, style: Style): Generator<string> {
  for (const { message, instance, value } of told.pairs)
    yield `  ${printable(message)} == ${printable(instance)}, which is ${style.bold(`'${printable(value)}'`)}`
  if (told.where !== undefined) yield `  where ${printable(told.where)}`
  if (told.untilTrue !== undefined) yield `  until ${printable(told.untilTrue)}`
  const { items, recordsLookedAt, partitionsLookedAt, others, trouble } = told.nearMisses
  yield `  ${style.dim(`of the last ${recordsLookedAt} records of ${told.topic} (${partitionsLookedAt} partitions), ${items.length} came near and ${others} did not`)}`
  if (trouble !== undefined) yield `  ${style.yellow(printable(trouble))}`
  const rows = items.map(({ partition, offset, timestamp, reason, message }) => [
    `${told.topic}/${partition}@${offset}`,
    timestamp ?? '',
    style.yellow(reason),
    printable(message.split('\n')[0] ?? ''),
  ])
  yield* table(rows, '    ')
}

function* helpLines(
  help: readonly Help[],
  command: (help: Help) => string,
  style: Style,
  indent: string,
): Generator<string> {
  yield* table(
    help.map((each) => [style.green(command(each)), style.dim(`# ${each.why}`)]),
    indent,
  )
}

/** "instances retry order-1 --task ship": what a person types for an action. */
export function helpCommand(id: string, { action, task, name }: Help): string {
  const parts = ['instances', action, id]
  if (name !== undefined) parts.push(shellQuoted(name))
  if (task !== undefined) parts.push('--task', shellQuoted(task))
  if (action === 'complete') parts.push('--output', shellQuoted('{}'))
  return parts.join(' ')
}

const bad: ReadonlySet<RecordOutcome> = new Set(['refused', 'failed', 'unknown', 'not-taken'])
const good: ReadonlySet<RecordOutcome> = new Set(['started', 'taken', 'queued', 'kept'])

/** What became of a record. */
export function* recordExplanationLines(told: RecordExplanation, style: Style): Generator<string> {
  const place = `${told.topic}/${told.partition}@${told.offset}`
  const key = told.key === undefined ? '' : `  key ${told.key === null ? 'none' : printable(told.key)}`
  const size = told.valueBytes === undefined ? '' : `  ${told.valueBytes} B`
  yield `${style.bold(place)}${key}${size}  ${style.dim(told.timestamp ?? '')}`
  yield printable(told.summary)
  if (told.uses.length > 0) yield ''
  for (const use of told.uses) {
    const outcome = good.has(use.outcome)
      ? style.green(use.outcome)
      : bad.has(use.outcome)
        ? style.red(use.outcome)
        : style.yellow(use.outcome)
    const value = use.value === undefined ? '' : ` '${printable(use.value)}'`
    const by = use.expression === undefined ? '' : style.dim(`  ${printable(use.expression)}`)
    yield `${style.bold(use.workflow)}  ${use.kind === 'start' ? 'starts by the key' : 'listens for'}${value}  ${outcome}${by}`
    for (const line of use.message.split('\n')) yield `  ${printable(line)}`
    for (const { pointer, message } of use.violations ?? [])
      yield `    ${printable(pointer === '' ? '(the value itself)' : pointer)}  ${printable(message)}`
  }
  for (const letter of told.letters) {
    yield ''
    yield `dead letter ${letter.partition}@${letter.offset}  ${style.red(printable(letter.reason))}${letter.redriven ? '  redriven since' : ''}`
  }
}
