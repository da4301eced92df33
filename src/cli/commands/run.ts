// dagger-worker run: starts an instance and follows it live.
//
// Every start carries an Idempotency-Key, a random one where none is given: a call whose answer was lost is repeated
// under the same key and starts nothing twice.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Json } from '../../base/json.ts'
import { traceContextOf, traceHeaders } from '../../base/tracing.ts'
import { ApiProblem } from '../calls.ts'
import type { Client, StartOutcome } from '../client.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { followInstance } from '../follow.ts'
import { elapsed, statusText, taskWidthOf, timelineLine } from '../instance-text.ts'
import { createOutput, type Output, printable, shellQuoted } from '../output.ts'
import { clientFor, type ServerFlag, serverSuffix, withServer } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'
import { userName } from '../user-name.ts'

const startAttemptsMax = 5
const startAgainAfterMs = 500
const askAgainAfterMs = 1_000

interface RunFlags extends ServerFlag {
  readonly key?: string
  readonly input?: string
  readonly idempotencyKey?: string
  readonly by?: string
  readonly detach?: true
  readonly json?: true
}

export function addRun(program: Command, surroundings: Surroundings): void {
  withServer(program.command('run').argument('<workflow>'))
    .summary('start an instance and follow it')
    .description('Starts an instance of a workflow and shows what happens until it ends or has an incident.')
    .option('--key <text>', 'the business key (default: the idempotency key)')
    .option('--input <json|@file>', 'the input: JSON, or a file that holds it', '{}')
    .option('--idempotency-key <text>', 'the same key starts at most one instance (default: a random one)')
    .option('--by <name>', "who starts it, for the instance's history; you, where it is left out")
    .option('--detach', 'only start it')
    .option('--json', 'the started instance, or its last state, as JSON')
    .addHelpText('after', `\nExample:\n  dagger-worker run order --key o-1 --input '{"orderId":"o-1","amount":12.5}'`)
    .action((workflow: string, flags: RunFlags) => run(workflow, flags, surroundings))
}

async function run(workflow: string, flags: RunFlags, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const client = clientFor(flags, surroundings)
  const input = await readInput(flags.input ?? '{}', surroundings)
  const { key, by = userName() } = flags
  const request = { workflow, input, by, ...(key === undefined ? {} : { key }) }
  const idempotencyKey = flags.idempotencyKey ?? randomUUID()
  // As OpenTelemetry has it for programs that are started within a trace.
  const { TRACEPARENT, TRACESTATE } = surroundings.env
  const trace = traceHeaders(traceContextOf(TRACEPARENT, TRACESTATE))
  const ask = (): Promise<StartOutcome> => start(() => client.startInstance(request, idempotencyKey, trace), output)
  let started = await ask()
  const name = `${workflow}/${started.key}`
  const isJson = flags.json === true
  const hasWaited = started.outcome === 'queued'
  if (started.outcome === 'queued') {
    const place = `${output.style.bold(printable(name))} waits for the one that runs, at place ${started.place}`
    if (!isJson) output.line(place)
    if (flags.detach === true) {
      if (isJson) output.json(started)
      return
    }
  }
  while (started.outcome === 'queued') {
    await pause(askAgainAfterMs)
    started = await ask()
  }
  const { instanceId, outcome } = started
  if (!isJson) {
    const isStarted = outcome === 'started' || (outcome === 'repeated' && hasWaited)
    if (isStarted) output.line(`${output.style.bold(printable(name))} started, id ${instanceId}`)
    else if (outcome === 'repeated')
      output.line(
        `${output.style.bold(printable(name))} was started before with this idempotency key, id ${instanceId}`,
      )
    if (outcome === 'ignored')
      output.line(`${output.style.bold(printable(name))} is there already, nothing was started; id ${instanceId}`)
  }
  const server = serverSuffix(client.server, surroundings.env)
  const show = `${surroundings.programName} instances show ${shellQuoted(name)}${server}`
  if (flags.detach === true) {
    if (isJson) output.json(started)
    else output.line(output.style.dim(`Follow it: ${show} --follow`))
    return
  }
  await followToTheEnd(client, instanceId, { isJson, show }, surroundings)
}

/**
 * Shows an instance's life as it goes on and ends with its status.
 * @throws {CommandFailure} It failed, was stopped, has an incident, or Ctrl-C ended the watching (not the instance).
 */
export async function followToTheEnd(
  client: Client,
  id: string,
  { isJson, show }: { readonly isJson: boolean; readonly show: string },
  surroundings: Surroundings,
): Promise<void> {
  const output = createOutput(surroundings)
  const { style } = output
  const interrupted = Promise.withResolvers<never>()
  const release = surroundings.onSignal(() => {
    interrupted.reject(
      new CommandFailure(`The instance goes on without you. Follow it: ${show} --follow`, exitCodes.interrupted),
    )
  })
  try {
    const last = await Promise.race([
      interrupted.promise,
      followInstance(client, id, {
        onEntries(entries, instance, dropped) {
          if (isJson) return
          if (dropped > 0) output.line(style.dim(`… ${dropped} entries came too fast and are not kept`))
          const width = taskWidthOf(instance)
          for (const entry of entries) output.line(timelineLine(entry, style, width))
        },
        onInterruption: () => output.note(`${client.server} does not answer; waiting for it.`),
      }),
    ])
    if (last === undefined) {
      throw new CommandFailure(
        `Instance ${id} is not kept any more (the workflow's retention is over): how it ended is not known.`,
      )
    }
    if (isJson) {
      output.json(last)
    } else {
      const took = elapsed(last.startedAt, last.endedAt)
      output.line(`${statusText(last, style)} ${last.endedAt === undefined ? 'after' : 'in'} ${took}`)
      if (last.output !== undefined)
        output.line(JSON.stringify(last.output, null, 2).split('\n').map(printable).join('\n'))
      if (last.error !== undefined)
        output.line(`${style.red(printable(last.error.code))}: ${printable(last.error.message)}`)
      for (const task of last.tasks.filter(({ hasIncident }) => hasIncident)) {
        const why = task.error === undefined ? '' : `: ${printable(task.error.code)}: ${printable(task.error.message)}`
        output.line(`${style.red('incident')} at ${style.bold(task.name)}${why}`)
      }
      if (last.status !== 'COMPLETED') output.line(style.dim(`See all of it: ${show}`))
    }
    if (last.status !== 'COMPLETED') throw new CommandFailure('')
  } finally {
    release()
    client.close()
  }
}

async function start(ask: () => Promise<StartOutcome>, output: Output): Promise<StartOutcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof ApiProblem && error.status === 503) || attempt >= startAttemptsMax) throw error
      output.note(
        `${error.message}\nTrying again with the same idempotency key (${attempt} of ${startAttemptsMax - 1}).`,
      )
      await pause(startAgainAfterMs)
    }
  }
}

async function readInput(text: string, { workingDirectory }: Surroundings): Promise<Json> {
  const isFile = text.startsWith('@')
  try {
    return JSON.parse(isFile ? await readFile(resolve(workingDirectory, text.slice(1)), 'utf8') : text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandFailure(
      `--input is not JSON: ${printable(reason)}\nExpected something like --input '{"orderId":"o-1"}' or --input @order.json`,
      exitCodes.usage,
    )
  }
}
