// dagger-worker bench: what this machine, and a cluster, give; measured with the engine that would run there.
//
// Everything that it makes on a cluster has a name of its own and is removed at the end, by Ctrl-C too; what stays is
// said by name. Progress goes to stderr, the figures to stdout.
import { join } from 'node:path'
import type { Command } from 'commander'
import { TransientFault } from '../../base/errors.ts'
import type { BenchOutcome, BenchReport, Leftovers, Runs } from '../../bench/report.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { withKafka, type KafkaFlags } from '../kafka-flags.ts'
import { createOutput, type Output, table } from '../output.ts'
import { wholeNumber } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'

const instancesDefault = 5_000
const secondsDefault = 10

interface BenchFlags extends KafkaFlags {
  readonly partitions?: string
  readonly config?: string
  readonly instances: number
  readonly seconds: number
  readonly json?: true
}

export function addBench(program: Command, surroundings: Surroundings): void {
  withKafka(program.command('bench'), 'the embedded log')
    .summary('measure how fast it is here')
    .description(
      'Measures a workflow of four tasks (two commands, two answers) on a worker in this process: how many tasks a second,\n' +
        'how many records a second the log alone gives, and how long an instance takes at 50 a second. Its topics have names\n' +
        'of their own and are removed at the end.',
    )
    .option('--partitions <n>', 'partitions of each topic (default: 12)')
    .option('--instances <n>', 'instances of each run', wholeNumber(1), instancesDefault)
    .option('--seconds <n>', 'how long the latency is measured', wholeNumber(1), secondsDefault)
    .option('--config <file>', "the worker's configuration file, YAML or JSON (default: $DAGGER_WORKER_CONFIG)")
    .option('--json', 'the figures as JSON')
    .addHelpText('after', '\nExample:\n  dagger-worker bench --brokers kafka-1:9092 --instances 20000')
    .action((flags: BenchFlags) => bench(flags, surroundings))
}

async function bench({ config: file, json, instances, seconds, ...values }: BenchFlags, surroundings: Surroundings) {
  const { env, workingDirectory, packageDirectory } = surroundings
  const { loadConfig } = await import('../../config/worker-config.ts')
  const config = loadConfig({
    // The directory of workflows plays no part, and need not be there.
    flags: { ...values, workflows: join(packageDirectory, 'workflows') },
    env,
    ...(file === undefined ? {} : { file }),
    workingDirectory,
  })
  const { brokers, partitions } = config
  const output = createOutput(surroundings)
  const aborting = new AbortController()
  const release = surroundings.onSignal((signal) => {
    if (aborting.signal.aborted) {
      surroundings.exitNow(exitCodes.interrupted)
      return
    }
    output.note(`${signal}: stopping, and removing what was made; once more ends at once.`)
    aborting.abort()
  })
  let outcome: BenchOutcome
  try {
    outcome = await surroundings.measure({
      ...(brokers === undefined ? {} : { kafka: { ...config, brokers } }),
      partitions,
      instances,
      seconds,
      signal: aborting.signal,
      onProgress: (line) => output.note(output.style.dim(line)),
    })
  } finally {
    release()
  }
  if (outcome.leftovers !== undefined) for (const line of leftoverLines(outcome.leftovers)) output.note(line)
  if (aborting.signal.aborted) throw new CommandFailure('', exitCodes.interrupted)
  if (outcome.report === undefined) throw failureOf(outcome.error)
  if (json === true) output.json(outcome.report)
  else for (const line of reportLines(outcome.report, output)) output.line(line)
}

function failureOf(error: unknown): unknown {
  return error instanceof TransientFault
    ? new CommandFailure(`The benchmark could not be run: ${error.message}`, exitCodes.unavailable)
    : error
}

function* leftoverLines({ prefix, topics, unknown }: Leftovers): Generator<string> {
  if (unknown !== undefined) {
    yield `What was made could not be removed: ${unknown}. Remove the topics that begin with ${prefix}.`
    return
  }
  yield 'These topics could not be removed; remove them:'
  yield* table(
    topics.map(({ name, reason }) => [name, reason]),
    '  ',
  )
}

function* reportLines(report: BenchReport, { style }: Output): Generator<string> {
  const { latency } = report
  const rows = [
    ratesRow('floor: the log alone', report.floorRecordsPerSecond, 'records/s', 0),
    ratesRow('order: the engine on it', report.orderTasksPerSecond, 'tasks/s', 0),
    ratesRow('order against the floor', report.orderAgainstFloor, 'ratio, of records in', 2),
    ratesRow('CPU of the main thread', report.orderCpuMicrosPerTask, 'µs/task', 1),
    ['latency, p50', numberText(latency.p50Ms, 1), 'ms', paceText(latency)],
    ['latency, p99', numberText(latency.p99Ms, 1), 'ms', ''],
  ] as const
  const width = Math.max(...rows.map(([, value]) => value.length))
  yield* table(
    rows.map(([what, value, unit, note]) => [what, style.bold(value.padStart(width)), unit, style.dim(note)]),
  )
}

const ratesRow = (what: string, { median, runs }: Runs, unit: string, digits: number) =>
  [what, numberText(median, digits), unit, `runs: ${runs.map((value) => numberText(value, digits)).join(' ')}`] as const

const numberText = (value: number, digits: number): string =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })

const paceText = ({ instancesPerSecond, seconds }: BenchReport['latency']): string =>
  `from start record to completed, ${instancesPerSecond} instances/s for ${seconds} s`
