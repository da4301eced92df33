// dagger-worker timers / subscriptions / kept / partitions: what is there, in tables.
import type { Command } from 'commander'
import { timerKinds, type ChannelFilter, type PartitionStanding, type TimerFilter } from '../../runtime/face.ts'
import type { Page } from '../client.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { compactJson, createOutput, duration, printable, table, type Output } from '../output.ts'
import { counted } from '../problems.ts'
import { clientFor, type ServerFlag, wholeNumber, withServer } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'

type JsonFlag = ServerFlag & { readonly json?: true }
type ListFlags = JsonFlag & { readonly limit: number }

/** What the API gives in one answer at most. */
const pageMax = 1_000
const valueMax = 60

export function addLists(program: Command, surroundings: Surroundings): void {
  const add = (name: string, summary: string, description: string): Command =>
    withServer(program.command(name))
      .summary(summary)
      .description(description)
      .option('--json', 'one JSON document a line')
  const addFiltered = (name: string, summary: string, description: string, example: string): Command =>
    add(name, summary, description)
      .option('--workflow <name>', 'of this workflow')
      .option('--limit <n>', 'at most so many', wholeNumber(1), 50)
      .addHelpText('after', `\nExample:\n  dagger-worker ${example}`)

  addFiltered('timers', 'what is due, and when', 'Timers, the one that is due next first.', 'timers --workflow order')
    .option('--kind <kind>', `of this kind: ${timerKinds.join(', ')}`)
    .option('--all', 'also those that only forget what is over')
    .action((flags: ListFlags & Pick<TimerFilter, 'workflow' | 'kind' | 'all'>) => listTimers(flags, surroundings))
  addFiltered(
    'subscriptions',
    'what listeners wait for',
    'The values that listeners wait for, and who waits for each, the longest-waiting first.',
    'subscriptions --workflow order --topic payment-events',
  )
    .option('--topic <name>', 'of this topic')
    .option('--value <text>', 'for this value')
    .action((flags: ListFlags & ChannelFilter) => listSubscriptions(flags, surroundings))
  addFiltered(
    'kept',
    'records that wait for a listener',
    'Records that came before their listener and are kept for it.',
    'kept --topic payment-events --with-record',
  )
    .option('--topic <name>', 'of this topic')
    .option('--value <text>', 'for this value')
    .option('--with-record', 'with what they hold')
    .action((flags: ListFlags & ChannelFilter & { withRecord?: true }) => listKept(flags, surroundings))
  add(
    'partitions',
    'who owns each partition, and how far it is',
    'Every partition of the application: its worker, how far it is behind what it reads, its copies, what it keeps.',
  )
    .addHelpText('after', '\nExample:\n  dagger-worker partitions')
    .action((flags: JsonFlag) => listPartitions(flags, surroundings))
}

async function listTimers(
  { server, json, limit, ...filter }: ListFlags & Pick<TimerFilter, 'workflow' | 'kind' | 'all'>,
  surroundings: Surroundings,
): Promise<void> {
  const output = createOutput(surroundings)
  if (filter.kind !== undefined && !timerKinds.includes(filter.kind))
    throw new CommandFailure(`--kind: expected one of ${timerKinds.join(', ')}.`, exitCodes.usage)
  const client = clientFor(server === undefined ? {} : { server }, surroundings)
  await show(
    { limit, json, what: 'timer', head: ['DUE', 'IN', 'INSTANCE', 'TASK', 'KIND', 'WHAT'] },
    (bounds) => client.listTimers({ ...filter, ...bounds }),
    ({ dueAt, workflow, key, instanceId, task, kind, what }) => [
      dueAt,
      inText(dueAt),
      printable(workflow === undefined ? (instanceId ?? '') : key === undefined ? workflow : `${workflow}/${key}`),
      printable(task ?? ''),
      kind,
      printable(what),
    ],
    output,
  )
}

async function listSubscriptions(
  { server, json, limit, ...filter }: ListFlags & ChannelFilter,
  surroundings: Surroundings,
): Promise<void> {
  const output = createOutput(surroundings)
  const client = clientFor(server === undefined ? {} : { server }, surroundings)
  await show(
    { limit, json, what: 'subscription', head: ['WORKFLOW', 'TOPIC', 'VALUE', 'WAITING', 'FIRST', 'AT', 'SINCE'] },
    (bounds) => client.listSubscriptions({ ...filter, ...bounds }),
    ({ workflow, topic, value, waiting, waiters: [first] }) => [
      workflow,
      topic,
      printable(value),
      String(waiting),
      first?.instanceId ?? '',
      printable(first?.task ?? ''),
      first?.since ?? '',
    ],
    output,
  )
}

async function listKept(
  { server, json, limit, ...filter }: ListFlags & ChannelFilter & { withRecord?: true },
  surroundings: Surroundings,
): Promise<void> {
  const output = createOutput(surroundings)
  const client = clientFor(server === undefined ? {} : { server }, surroundings)
  const head = ['WORKFLOW', 'VALUE', 'RECORD', 'ARRIVED', 'GOES IN', 'THEN', 'SIZE']
  await show(
    { limit, json, what: 'kept record', head: filter.withRecord === true ? [...head, 'HOLDS'] : head },
    (bounds) => client.listKept({ ...filter, ...bounds }),
    ({ workflow, value, source, arrivedAt, expiresAt, onExpired, bytes, record, recordBase64 }) => [
      workflow,
      printable(value),
      `${source.topic}/${source.partition}@${source.offset}`,
      arrivedAt,
      inText(expiresAt),
      onExpired,
      `${bytes} B`,
      ...(record === undefined ? [] : [compactJson(recordBase64 ?? record, valueMax)]),
    ],
    output,
  )
}

/** Pages of a list, as a table or as JSON lines. */
async function show<Item extends { readonly cursor: string }>(
  how: {
    readonly limit: number
    readonly json: true | undefined
    readonly what: string
    readonly head: readonly string[]
  },
  ask: (bounds: { readonly limit: number; readonly cursor?: string }) => Promise<Page<Item>>,
  rowOf: (item: Item) => readonly string[],
  output: Output,
): Promise<void> {
  const { limit, json, what, head } = how
  const rows: (readonly string[])[] = []
  let next: string | undefined
  do {
    const page = await ask({
      limit: Math.min(limit - rows.length, pageMax),
      ...(next === undefined ? {} : { cursor: next }),
    })
    for (const item of page.items) {
      if (json === true) output.json(item)
      rows.push(rowOf(item))
    }
    next = page.next
  } while (next !== undefined && rows.length < limit)
  if (json === true) return
  if (rows.length === 0) return output.note(`No ${what}s.`)
  for (const line of table([head.map(output.style.dim), ...rows])) output.line(line)
  if (next !== undefined) output.note(`These are the first ${counted(rows.length, what)}; --limit shows more.`)
}

/** "in 5.0 s", "overdue 2 min 5 s". */
function inText(at: string): string {
  const ms = Date.parse(at) - Date.now()
  return ms >= 0 ? duration(ms) : `${duration(-ms)} ago`
}

async function listPartitions(flags: JsonFlag, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const { style } = output
  const { items, missing } = await clientFor(flags, surroundings).listPartitions()
  if (flags.json === true) {
    for (const item of items) output.json(item)
    return
  }
  const head = ['PARTITION', 'PHASE', 'WORKER', 'BEHIND', 'CHANGELOG', 'COPIES', 'KEPT', 'OVERDUE', 'NEXT TIMER']
  const lines = table([head.map(style.dim), ...items.map((item) => partitionRow(item))])
  for (const line of lines) output.line(line)
  for (const { partition, reason } of items)
    if (reason !== undefined) output.line(style.yellow(`partition ${partition}: ${printable(reason)}`))
  if (missing.length > 0) output.line(style.red(`No worker that answers owns ${missing.map(String).join(', ')}.`))
}

function partitionRow(told: PartitionStanding): readonly string[] {
  const { partition, phase, worker, sources, changelog, copies, kept, timersOverdue, nextTimerAt } = told
  const behind = sources.reduce((sum, each) => sum + (each.behind ?? 0), 0)
  return [
    String(partition),
    phase,
    worker,
    String(behind),
    changelog === undefined ? '' : `${changelog.position ?? 0} of ${changelog.end}`,
    copies.map((each) => `${each.worker} (${each.behind ?? '?'} behind)`).join(', ') || 'none',
    String(kept.records),
    String(timersOverdue),
    nextTimerAt === undefined ? '' : inText(nextTimerAt),
  ]
}
