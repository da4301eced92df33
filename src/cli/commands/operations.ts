// dagger-worker operations start / list / show / cancel: one action on many instances.
//
// It goes on in the worker that took it. Ctrl-C while it is watched cancels it: who takes fright means that. One that is to go
// on without anybody is started with --detach.
import { Argument, type Command } from 'commander'
import { ApiProblem, WorkerUnreachable } from '../calls.ts'
import type { OperationView } from '../../runtime/face.ts'
import type { Client } from '../client.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { type InstanceFlags, withInstances } from '../instance-flags.ts'
import { elapsed } from '../instance-text.ts'
import { createOutput, type Output, printable, table } from '../output.ts'
import { counted } from '../problems.ts'
import { clientFor, type ServerFlag, serverSuffix, wholeNumber, withServer } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'
import { userName } from '../user-name.ts'
import { member, varsOf } from './operate.ts'

const actions = ['retry', 'skip', 'complete', 'stop', 'fail', 'suspend', 'resume', 'signal', 'set'] as const
/** How long one question stays open: progress is told as often. */
const waitMs = 2_000

interface StartFlags extends ServerFlag, InstanceFlags {
  readonly all?: true
  readonly task?: string
  readonly input?: string
  readonly output?: string
  readonly reason?: string
  readonly signal?: string
  readonly set?: readonly string[]
  readonly limit?: number
  readonly dryRun?: true
  readonly yes?: true
  readonly detach?: true
  readonly id?: string
  readonly by?: string
  readonly json?: true
}

interface Flags extends ServerFlag {
  readonly follow?: true
  readonly json?: true
}

export function addOperations(program: Command, surroundings: Surroundings): void {
  const operations = program
    .command('operations')
    .summary('act on many instances at once')
    .description('One action on all instances that a filter wants, with progress, counts and a way to cancel it.')
  const start = operations
    .command('start')
    .addArgument(new Argument('<action>', 'what is done to each').choices(actions))
    .summary('act on all instances that the options want')
    .description('Acts on all instances that the options want, as they are now; what starts later is not taken.')
    .option('--all', 'all instances that there are, with none of the options below')
  withServer(withInstances(start))
    .option('--task <name>', 'retry, skip, complete: the task; the only one with an incident, where it is left out')
    .option('--input <json>', 'retry: another input, for handlers; signal: what goes with it')
    .option('--output <json>', 'complete: the output of the task')
    .option('--reason <text>', 'stop, fail: why')
    .option('--signal <name>', 'signal: which one')
    .option('--set <name=json...>', 'set: the variables')
    .option('--limit <n>', 'at most so many, the newest', wholeNumber(1))
    .option('--dry-run', 'count what matches, and do nothing')
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .option('--detach', 'only start it')
    .option('--id <id>', 'go on with an operation that was lost with its worker: what it did is not done again')
    .option('--by <name>', "who does it, for the instances' history; you, where it is left out")
    .option('--json', 'the operation as JSON, once it is over')
    .addHelpText(
      'after',
      '\nExamples:\n  dagger-worker operations start retry --workflow order --incident\n' +
        '  dagger-worker operations start fail --attribute customer=c-17 --reason "was ordered twice" --yes\n' +
        '  dagger-worker operations start signal --signal approved --waiting-at approval --dry-run',
    )
    .action((action: string, flags: StartFlags) => startOperation(action, flags, surroundings))
  withServer(operations.command('list'))
    .summary('list operations, the latest first')
    .description('Lists operations, the latest first: those of each worker as long as it runs.')
    .option('--json', 'one JSON document a line')
    .addHelpText('after', '\nExample:\n  dagger-worker operations list')
    .action((flags: Flags) => listOperations(flags, surroundings))
  withServer(operations.command('show').argument('<id>'))
    .summary('show one operation')
    .description('Shows an operation: its counts, and the first instances that refused.')
    .option('--follow', 'go on until it is over; Ctrl-C only ends the watching')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  dagger-worker operations show op-3f9c2a1b7d4e5f60 --follow')
    .action((id: string, flags: Flags) => showOperation(id, flags, surroundings))
  withServer(operations.command('cancel').argument('<id>'))
    .summary('cancel an operation')
    .description('Begins nothing else of an operation. What was done stays done.')
    .addHelpText('after', '\nExample:\n  dagger-worker operations cancel op-3f9c2a1b7d4e5f60')
    .action((id: string, flags: Flags) => cancelOperation(id, flags, surroundings))
}

async function startOperation(action: string, flags: StartFlags, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const client = clientFor(flags, surroundings)
  const body = bodyOf(action, flags)
  if (flags.dryRun === true || flags.yes !== true) {
    const { counts, hasMore } = await untilOver(client, await client.startOperation({ ...body, dryRun: true }), output)
    const text = `${counted(counts.matched, 'instance')} ${counts.matched === 1 ? 'matches' : 'match'}${hasMore ? ', the newest of more' : ''}`
    if (flags.dryRun === true && flags.json === true) return output.json({ matched: counts.matched, hasMore })
    if (flags.dryRun === true) return output.line(text)
    if (counts.matched === 0) return output.note('No instances match.')
    await confirm(`${text}. ${action} them? [y/N] `, surroundings)
  }
  const started = await client.startOperation(body)
  if (flags.detach === true) {
    if (flags.json === true) return output.json(started)
    output.line(started.id)
    const show = `${surroundings.programName} operations show ${started.id} --follow`
    return output.note(`Follow it: ${show}${serverSuffix(client.server, surroundings.env)}`)
  }
  let isCancelled = false
  const release = surroundings.onSignal(() => {
    if (isCancelled) return surroundings.exitNow(exitCodes.interrupted)
    isCancelled = true
    output.note('Cancelling: what was done stays done. Ctrl-C again leaves at once.')
    client.cancelOperation(started.id).catch((error: unknown) => output.note(`It was not cancelled: ${String(error)}`))
  })
  try {
    const over = await untilOver(client, started, output)
    tell(over, flags.json === true, output)
    if (isCancelled) throw new CommandFailure('', exitCodes.interrupted)
    expectSuccess(over)
  } finally {
    release()
  }
}

/** As the API takes it. @throws {CommandFailure} */
function bodyOf(action: string, flags: StartFlags): { readonly [member: string]: unknown } {
  const { server: _, all, dryRun: _dryRun, yes: _yes, detach: _detach, json: _json, ...rest } = flags
  const { task, input, output, reason, signal, set, limit, id, by = userName(), ...filter } = rest
  const isFiltered = Object.values(filter).some((value) => value !== undefined)
  if (isFiltered === (all === true)) {
    const message = 'Expected options that say which instances, such as --workflow or --incident, or --all.'
    throw new CommandFailure(message, exitCodes.usage)
  }
  if (action === 'signal' && signal === undefined)
    throw new CommandFailure('signal needs --signal <name>.', exitCodes.usage)
  if (action === 'set' && set === undefined)
    throw new CommandFailure('set needs --set <name=json...>.', exitCodes.usage)
  return {
    action,
    ...(all === true ? { all } : { filter }),
    ...Object.fromEntries(
      Object.entries({ task, reason, name: signal, limit, id, by }).filter(([, value]) => value !== undefined),
    ),
    ...member(action === 'signal' ? 'payload' : 'input', input, '--input'),
    ...member('output', output, '--output'),
    ...(set === undefined ? {} : { vars: varsOf(set) }),
  }
}

/** @throws {CommandFailure} The person says no, or there is nobody to ask. */
async function confirm(question: string, { stdin, stderr }: Surroundings): Promise<void> {
  if (stderr.isTTY !== true)
    throw new CommandFailure(
      `${question.slice(0, -' [y/N] '.length)} Nobody can be asked here: add --yes.`,
      exitCodes.usage,
    )
  stderr.write(question)
  let answer = ''
  for await (const piece of stdin) {
    answer += String(piece)
    if (answer.includes('\n')) break
  }
  if (!/^y(es)?$/i.test(answer.split('\n', 1)[0]!.trim())) throw new CommandFailure('Nothing was done.')
}

/** Follows it to its end, with its progress on stderr. @throws {CommandFailure} It ended with its worker. */
async function untilOver(client: Client, started: OperationView, output: Output): Promise<OperationView> {
  let operation = started
  let told = ''
  while (operation.endedAt === undefined) {
    try {
      operation = await client.operation(operation.id, waitMs)
    } catch (error) {
      const isLost = error instanceof WorkerUnreachable || (error instanceof ApiProblem && error.status === 404)
      if (!isLost) throw error
      throw new CommandFailure(
        `${operation.id} was lost with its worker, ${countsText(operation)} when it was last heard.\n` +
          `The same command with --id ${operation.id} does the rest: what was done is not done again.`,
        exitCodes.unavailable,
      )
    }
    const text = operation.status === 'counting' ? `${operation.counts.matched} match so far` : countsText(operation)
    if (operation.endedAt === undefined && text !== told) output.note(`… ${(told = text)}`)
  }
  return operation
}

async function listOperations(flags: Flags, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const operations = await clientFor(flags, surroundings).listOperations()
  if (flags.json === true) {
    for (const operation of operations) output.json(operation)
    return
  }
  if (operations.length === 0) return output.note('There are no operations.')
  const rows = operations.map((operation) => [
    operation.id,
    operation.isDryRun ? `${operation.action} (dry run)` : operation.action,
    operation.status,
    countsText(operation),
    operation.startedAt,
    elapsed(operation.startedAt, operation.endedAt),
    printable(operation.by),
  ])
  const head = ['OPERATION', 'ACTION', 'STATUS', 'COUNTS', 'STARTED', 'TOOK', 'BY'].map(output.style.dim)
  for (const line of table([head, ...rows])) output.line(line)
}

async function showOperation(id: string, flags: Flags, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const client = clientFor(flags, surroundings)
  const first = await client.operation(id)
  const operation = flags.follow === true ? await untilOver(client, first, output) : first
  tell(operation, flags.json === true, output)
  if (flags.follow === true) expectSuccess(operation)
}

async function cancelOperation(id: string, flags: Flags, surroundings: Surroundings): Promise<void> {
  const operation = await clientFor(flags, surroundings).cancelOperation(id)
  createOutput(surroundings).note(`${operation.id}: ${operation.status}, ${countsText(operation)}`)
}

function tell(operation: OperationView, isJson: boolean, output: Output): void {
  if (isJson) return output.json(operation)
  const { id, action, status, isDryRun, counts, codes, refusals, error, hasMore, startedAt, endedAt } = operation
  output.line(`${action} ${status}: ${countsText(operation)}, in ${elapsed(startedAt, endedAt)}`)
  if (hasMore) output.line('More match: these were the newest, up to the limit.')
  for (const [code, number] of Object.entries(codes)) output.line(`  ${number} × ${printable(code)}`)
  for (const { instanceId, code, message } of refusals)
    output.line(`  ${printable(instanceId)}  ${output.style.red(printable(code))}: ${printable(message)}`)
  if (status === 'cancelled' && counts.left > 0 && !isDryRun)
    output.note(`The same command with --id ${id} does the rest: what was done is not done again.`)
  if (error !== undefined) output.line(`${output.style.red(printable(error.code))}: ${printable(error.message)}`)
}

function expectSuccess({ status, counts }: OperationView): void {
  if (status !== 'completed' || counts.refused + counts.failed > 0) throw new CommandFailure('')
}

/** "4990 of 5000 done, 10 refused". */
function countsText({ counts }: OperationView): string {
  const { matched, done, refused, failed, doneBefore, left } = counts
  const parts = [`${done} of ${matched} done`]
  if (refused > 0) parts.push(`${refused} refused`)
  if (failed > 0) parts.push(`${failed} failed`)
  if (doneBefore > 0) parts.push(`${doneBefore} done before`)
  if (left > 0) parts.push(`${left} left`)
  return parts.join(', ')
}
