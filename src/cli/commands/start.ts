// dagger-worker start: the daemon.
//
// Reports once what it found and where it listens, then leaves the terminal to the log. The first SIGINT or SIGTERM
// stops gracefully, within a bound; the second one ends at once. A workflow file with problems does not keep the worker from running:
// it is printed, and the worker goes on with the others (or with none, until a file is dropped in).
import type { Command } from 'commander'
import type { WorkerConfig } from '../../config/worker-config.ts'
import type { WorkerView } from '../../runtime/face.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { withHttp } from '../http-flags.ts'
import { withKafka } from '../kafka-flags.ts'
import { createOutput, type Output, table } from '../output.ts'
import { counted, problemsText } from '../problems.ts'
import { serverSuffix } from '../remote.ts'
import type { RunningWorker, Surroundings } from '../surroundings.ts'

type StartFlags = { readonly config?: string; readonly jsonLogs?: true; readonly otel?: string | true } & {
  readonly [key in Exclude<keyof WorkerConfig, 'topics' | 'otel'>]?: string
}

export function addStart(program: Command, surroundings: Surroundings): void {
  withHttp(withKafka(program.command('start'), 'the embedded log'))
    .summary('run the worker')
    .description('Runs the worker: reads the workflows, carries their instances, serves the HTTP API.')
    .option('--guarantee <name>', 'what is claimed on Kafka: exactly-once or at-least-once (default: exactly-once)')
    .option('--compression <name>', 'of what is produced on Kafka: none, gzip, snappy, lz4 or zstd (default: none)')
    .option('--schema-registry <url>', "of topics with schemas, with Confluent's API (default: none)")
    .option('--schema-registry-username <name>', 'the user that it is asked as')
    .option('--schema-registry-password-file <file>', "with the user's password")
    .option('--workflows <dir>', 'directory of the workflow files (default: workflows)')
    .option('--handlers <dir>', 'directory of the handler modules')
    .option('--data <dir>', 'where the worker keeps its data (default: .dagger-worker)')
    .option('--app <name>', "the application's name (default: dagger)")
    .option('--partitions <n>', 'partitions of a new application (default: 12)')
    .option('--standby <n>', 'other workers that keep a warm copy of each partition (default: 1)')
    .option('--source <name>', "under which name the workflows are published (default: the application's)")
    .option('--revision <n>', 'of the workflows: a lower one than what is published already is not published')
    .option('--topics-create <boolean>', 'create topics that do not exist (default: true)')
    .option('--updates <boolean>', 'tell every change of an instance in the topic <app>.updates (default: false)')
    .option('--handlers-per-worker <n>', 'handlers that run at once (default: 64)')
    .option('--http-allow <hosts>', 'hosts that http tasks may call, as host or host:port, with commas (default: none)')
    .option('--secrets <dir>', 'directory with a file for each secret (default: variables DAGGER_SECRET_<NAME>)')
    .option(
      '--stop-delay <duration>',
      'between a signal and stopping: /service/ready says no, all else goes on (default: 0s)',
    )
    .option('--stop-timeout <duration>', 'for finishing what is under way; then it ends with 4 (default: 20s)')
    .option('--otel [boolean]', 'telemetry by OpenTelemetry, as its OTEL_* variables say (default: false)')
    .option('--log-level <level>', 'debug, info, warn, error or silent (default: info)')
    .option('--json-logs', 'log lines and the start report as JSON')
    .option('--config <file>', 'configuration file, YAML or JSON (default: $DAGGER_WORKER_CONFIG)')
    .addHelpText(
      'after',
      `
Every option is also a key of the configuration file (logLevel) and a variable (DAGGER_WORKER_LOG_LEVEL).
A flag wins over a variable, a variable over the file.

Example:
  dagger-worker start --workflows ./workflows --handlers ./handlers --data /var/lib/shop`,
    )
    .action((flags: StartFlags) => start(flags, surroundings))
}

async function start(
  { config: file, jsonLogs, otel, ...values }: StartFlags,
  surroundings: Surroundings,
): Promise<void> {
  const { loadConfig } = await import('../../config/worker-config.ts')
  const config = loadConfig({
    flags: { ...values, otel: otel === true ? 'true' : otel },
    env: surroundings.env,
    ...(file === undefined ? {} : { file }),
    workingDirectory: surroundings.workingDirectory,
  })
  const output = createOutput(surroundings)
  // As the first process of a container it would not hear a signal that it does not listen to.
  const release = surroundings.onSignal((signal) => {
    output.note(`${signal}: ended while it was starting.`)
    surroundings.exitNow(exitCodes.interrupted)
  })
  let running: RunningWorker
  let stopped: Promise<boolean>
  try {
    running = await surroundings.startWorker(config, { jsonLogs: jsonLogs === true })
    // It listens before the other one is let go: in between a signal would end the process as if nobody listened.
    stopped = untilStopped(running, output, surroundings, { withinMs: config.stopDelayMs + config.stopTimeoutMs })
  } finally {
    release()
  }
  const view = running.worker.view()
  if (jsonLogs === true) output.json(reportOf(config, running, view))
  else for (const line of reportLines(config, running, view, output, surroundings)) output.line(line)
  const isFinished = await stopped
  // Everything is closed by now, or has to be left. A handler that ignores its signal does not keep the process.
  surroundings.exitNow(isFinished ? exitCodes.ok : exitCodes.unfinished)
  if (!isFinished) throw new CommandFailure('', exitCodes.unfinished)
}

/** Resolves when the worker has stopped, by a signal or by itself; false: it took longer than it may from a signal on. */
export async function untilStopped(
  running: RunningWorker,
  output: Output,
  surroundings: Surroundings,
  { withinMs, onStopping = () => {} }: { readonly withinMs?: number; readonly onStopping?: () => void } = {},
): Promise<boolean> {
  let isStopping = false
  let timer: NodeJS.Timeout | undefined
  const stop = Promise.withResolvers<boolean>()
  const release = surroundings.onSignal((signal) => {
    if (isStopping) {
      surroundings.exitNow(exitCodes.interrupted)
      return
    }
    isStopping = true
    output.note(`${signal}: stopping; once more ends at once.`)
    onStopping()
    if (withinMs !== undefined) {
      timer = setTimeout(() => {
        output.note(
          `Not all was finished within ${withinMs / 1_000} s: it ends now. Nothing is lost: what was not committed is done again.`,
        )
        stop.resolve(false)
      }, withinMs)
    }
    running.stop().then(() => stop.resolve(true), stop.reject)
  })
  try {
    await Promise.race([running.stopped, stop.promise])
    return isStopping ? await stop.promise : true
  } finally {
    clearTimeout(timer)
    release()
  }
}

function reportOf(config: WorkerConfig, { url }: RunningWorker, view: WorkerView): object {
  const { app, log, workflows, definitionProblems, problems } = view
  const kafka = config.brokers === undefined ? {} : { client: config.client, guarantee: config.guarantee }
  return { url, app, log, ...kafka, data: config.data, workflows, definitionProblems, problems }
}

function* reportLines(
  config: WorkerConfig,
  running: RunningWorker,
  view: WorkerView,
  { style }: Output,
  { version, env, programName, workingDirectory }: Surroundings,
): Generator<string> {
  const { url } = running
  if (view.definitionProblems.length > 0) {
    yield problemsText(view.definitionProblems, style, workingDirectory)
    yield ''
  }
  yield `${style.green('dagger-worker')} ${version} is running: application ${style.bold(view.app)} on the ${view.log} log`
  const found =
    view.workflows.length === 0
      ? `none in ${config.workflows}${view.definitionProblems.length > 0 ? ' is valid' : ''} yet: save a .yaml file there and it is picked up`
      : `${view.workflows.length} from ${config.workflows}`
  yield* table(
    [
      ['URL', style.cyan(url)],
      ['callers', callersText(config)],
      ['data', config.data],
      ...(config.brokers === undefined
        ? []
        : [['Kafka', `${config.brokers.join(', ')}, ${config.guarantee} by ${config.client}`]]),
      ['partitions', partitionsText(view, running.worker.partitionsInAll)],
      ['workflows', found],
    ],
    '  ',
  )
  yield* table(
    view.workflows.map((workflow) => [
      style.bold(workflow.version),
      workflow.startTopics.length > 0 ? `starts on ${workflow.startTopics.join(', ')}` : 'starts by call',
      style.dim(workflow.description ?? ''),
    ]),
    '    ',
  )
  if (view.definitionProblems.length > 0) {
    yield `  ${style.yellow(`${counted(view.definitionProblems.length, 'problem')} above: what was valid before keeps serving.`)}`
  }
  for (const problem of view.problems) yield `  ${style.yellow(problem)}`
  yield ''
  yield* nextSteps(view, programName, serverSuffix(url, env))
  yield 'Ctrl-C stops it.'
}

function callersText({ tokensFile, tlsClientCaFile }: WorkerConfig): string {
  const known = [
    ...(tlsClientCaFile === undefined ? [] : [`with a certificate of ${tlsClientCaFile}`]),
    ...(tokensFile === undefined ? [] : [`named in ${tokensFile}`]),
  ]
  return known.length === 0 ? 'everybody on this machine' : known.join(', ')
}

function partitionsText({ log, partitions, copies }: WorkerView, inAll: number): string {
  if (log === 'embedded' || partitions.length === inAll) return String(inAll)
  return `${partitions.length} of ${inAll} run here, copies of ${copies.length} are kept warm`
}

function* nextSteps(view: WorkerView, program: string, server: string): Generator<string> {
  const byTopic = view.workflows.find((workflow) => workflow.startTopics.length > 0)
  const any = byTopic ?? view.workflows[0]
  if (any === undefined) return
  yield 'Try next, in another terminal:'
  if (byTopic !== undefined) {
    yield `  ${program} produce ${byTopic.startTopics[0]} --key k-1 --value '{"hello":"world"}'${server}`
  } else {
    yield `  ${program} run ${any.name} --key k-1 --input '{}'${server}`
  }
  yield `  ${program} instances list${server}`
  yield `  ${program} instances show ${any.name}/k-1${server}`
  yield ''
}
