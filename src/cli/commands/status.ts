// dagger-worker status: for the person on call, in one screen. What is stuck and why, what would be lost if this machine
// burnt now, how far behind we are.
import type { Command } from 'commander'
import type { Durability, PartitionStanding } from '../../runtime/face.ts'
import type { Status } from '../client.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { createOutput, duration, printable, shellQuoted, table, type Style } from '../output.ts'
import { counted } from '../problems.ts'
import { clientFor, type ServerFlag, serverSuffix, withServer } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'

type Flags = ServerFlag & { readonly json?: true }

/** Lines of a part; the JSON has all of it. */
const linesMax = 15

export function addStatus(program: Command, surroundings: Surroundings): void {
  withServer(program.command('status'))
    .summary('what is stuck, what would be lost, how far behind we are')
    .description(
      'How the application stands, in one screen: its workers, what is stuck and why, what would be lost if this machine\n' +
        'burnt now, and how far behind it is. Ends with 0 where all is well, with 1 where something needs a person, and with\n' +
        '3 where it cannot be told.',
    )
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  dagger-worker status')
    .action((flags: Flags) => showStatus(flags, surroundings))
}

async function showStatus(flags: Flags, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const client = clientFor(flags, surroundings)
  const status = await client.status()
  const suffix = serverSuffix(client.server, surroundings.env)
  if (flags.json === true) output.json(status)
  else
    for (const line of statusLines(status, output.style, (words) => `${surroundings.programName} ${words}${suffix}`))
      output.line(line)
  if (status.verdict === 'needs-a-person') throw new CommandFailure('', exitCodes.failed)
  if (status.verdict === 'unknown') throw new CommandFailure('', exitCodes.unavailable)
}

/** @param command what a person types */
export function* statusLines(status: Status, style: Style, command: (words: string) => string): Generator<string> {
  const { verdict, reasons } = status
  if (verdict === 'well') yield style.green('All is well.')
  else if (verdict === 'needs-a-person') yield style.red('Something needs a person:')
  else yield style.yellow('It cannot be told:')
  for (const { message } of reasons.slice(0, linesMax)) yield `  ${printable(message)}`
  if (reasons.length > linesMax) yield style.dim(`  … and ${reasons.length - linesMax} more`)
  yield ''
  yield* workerLines(status, style)
  yield ''
  yield style.bold('Stuck')
  yield* stuckLines(status, style, command)
  yield ''
  yield style.bold('If this machine burnt now')
  yield* durabilityLines(status)
  yield ''
  yield style.bold('Behind')
  yield* behindLines(status)
}

function* workerLines({ workers, silent, missing }: Status, style: Style): Generator<string> {
  yield style.bold('Workers')
  const rows = workers.map(({ worker, partitions }) => {
    const running = partitions.filter(({ phase }) => phase === 'running').length
    return [worker, `${running} of ${counted(partitions.length, 'partition')} run`, ...restoring(partitions)]
  })
  yield* table(rows, '  ')
  for (const { worker, url } of silent) yield `  ${worker} at ${printable(url)} does not answer`
  if (missing.length > 0) yield `  partitions ${missing.map(String).join(', ')} run in no worker that answers`
}

function restoring(partitions: readonly PartitionStanding[]): readonly string[] {
  const left = partitions.filter(({ phase }) => phase === 'restoring')
  if (left.length === 0) return []
  const seconds = Math.max(...left.map(({ restoreSecondsLeft }) => restoreSecondsLeft ?? 0))
  const records = left.reduce((sum, { restoreLeft }) => sum + restoreLeft, 0)
  return [`${left.length} are restored: ${records} records left, about ${seconds} s`]
}

function* stuckLines(status: Status, style: Style, command: (words: string) => string): Generator<string> {
  const { incidents, deadLetters, workers } = status
  for (const { workflow, task, code, count, instanceId, message } of incidents.slice(0, linesMax)) {
    const where = task === undefined ? workflow : `${workflow} at ${task}`
    yield `  ${counted(count, 'incident')} of ${printable(where)}  ${style.red(printable(code))}: ${printable(message.split('\n')[0] ?? '')}`
    yield `    ${style.green(command(`explain ${instanceId}`))}  ${style.dim('# one of them')}`
    const these = `--incident --workflow ${shellQuoted(workflow)}`
    yield `    ${style.green(command(`instances list ${these}`))}  ${style.dim('# all of the workflow')}`
    yield `    ${style.green(command(`operations start retry ${these}`))}  ${style.dim('# all of them again, once the cause is mended')}`
  }
  const isCut = workers.some(({ incidents: { isCut: cut } }) => cut)
  if (isCut) yield style.dim('  incidents of older instances were not counted')
  for (const { reason, count } of deadLetters.byReason.slice(0, linesMax)) {
    yield `  ${count}${deadLetters.isCut ? ' or more' : ''} dead letter${count === 1 ? '' : 's'} of the last day  ${style.red(printable(reason))}`
    yield `    ${style.green(command(`dead-letter list --pending --reason ${shellQuoted(reason)}`))}`
  }
  const partitions = workers.flatMap((each) => each.partitions)
  for (const { partition, phase, reason = '' } of partitions)
    if (phase === 'stopped') yield `  partition ${partition} has stopped: ${printable(reason)}`
  const overdue = partitions.reduce((sum, each) => sum + each.timersOverdue, 0)
  if (overdue > 0) yield `  ${counted(overdue, 'timer')} overdue  ${style.green(command('timers'))}`
  if (incidents.length + deadLetters.byReason.length + overdue === 0 && !partitions.some(isStopped)) yield '  nothing'
}

const isStopped = ({ phase }: PartitionStanding): boolean => phase === 'stopped'

function* durabilityLines({ workers }: Status): Generator<string> {
  const told = new Map(workers.map(({ durability }) => [JSON.stringify(durability), durability]))
  for (const durability of told.values()) yield `  ${lossText(durability)}`
  if (![...told.values()].some(({ kind }) => kind === 'brokers')) return
  const partitions = workers.flatMap((each) => each.partitions)
  const alone = partitions.filter(({ copies }) => copies.length === 0).length
  const lag = Math.max(0, ...partitions.flatMap(({ copies }) => copies.map(({ behind }) => behind ?? 0)))
  if (alone === partitions.length && alone > 0)
    yield '  no worker keeps a copy: whoever takes over restores it from the changelog first'
  else if (alone > 0) yield `  ${counted(alone, 'partition')} without a copy; the others go on at once elsewhere`
  else
    yield `  every partition has a copy in another worker, at most ${counted(lag, 'record')} behind: it goes on at once there`
}

/** What would be lost, said plainly. */
function lossText(durability: Durability): string {
  switch (durability.kind) {
    case 'memory':
      return 'everything: it is in memory only'
    case 'this-disk': {
      const { directory, bytes } = durability
      return `everything: it lies on this disk only, ${sizeText(bytes)} in ${printable(directory)}. Back it up while the worker is stopped, or run on Kafka`
    }
    case 'brokers': {
      const { changelog, replicas, minInsyncReplicas } = durability
      if (replicas === undefined)
        return `nothing that was committed: it is in ${changelog} on Kafka, whose replicas may not be read`
      if (replicas === 1)
        return `nothing of this machine; but ${changelog} has one replica: the disk of its broker is the only copy`
      const inSync = minInsyncReplicas === undefined ? '' : `, min.insync.replicas ${minInsyncReplicas}`
      return `nothing that was committed: it is in ${changelog} on Kafka, replication factor ${replicas}${inSync}`
    }
  }
}

function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, bytes === 0 ? 0 : Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1_024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

function* behindLines({ behind }: Status): Generator<string> {
  const late = behind.filter((topic) => topic.behind > 0)
  const rows = late
    .slice(0, linesMax)
    .map(({ topic, behind: records, oldestUnreadAt }) => [
      topic,
      counted(records, 'record'),
      oldestUnreadAt === undefined ? '' : `the oldest of ${duration(Date.now() - Date.parse(oldestUnreadAt))} ago`,
    ])
  yield* table(rows, '  ')
  if (late.length === 0) yield `  nothing: all of ${counted(behind.length, 'topic')} is read`
}
