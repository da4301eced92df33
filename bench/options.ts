// What the command line of the benchmarks takes.
import { parseArgs } from 'node:util'
import { logNames, type LogName } from './grounds.ts'

export const workloads = [
  'floor',
  'order',
  'told',
  'chain',
  'wide',
  'waiting',
  'two',
  'restore',
  'recovery',
  'latency',
] as const
export type WorkloadName = (typeof workloads)[number]

export interface BenchOptions {
  readonly only: ReadonlySet<WorkloadName>
  /** One after the other, in one sitting. */
  readonly logs: readonly LogName[]
  /** Of each throughput run. */
  readonly instances: number
  /** Of the latency run. */
  readonly seconds: number
  /** Of the workload "waiting". */
  readonly waiting: number
  /** In the changelog of the workload "restore". */
  readonly values: number
  /** Instances that are open in the workload "recovery". */
  readonly open: number
  /** Of each throughput workload; the median counts. */
  readonly runs: number
  /** Of the result files. */
  readonly name: string
  readonly isProfiled: boolean
}

const inShort: readonly WorkloadName[] = ['floor', 'order', 'chain', 'latency']
const short = {
  only: inShort,
  instances: 10_000,
  seconds: 10,
  runs: 3,
  waiting: 100_000,
  values: 200_000,
  open: 5_000,
} as const
const full = {
  only: workloads,
  instances: 50_000,
  seconds: 60,
  runs: 5,
  waiting: 1_000_000,
  values: 1_000_000,
  open: 100_000,
} as const

export const usage = `npm run bench -- [options]
  --only NAME,…      ${workloads.join(', ')} (order brings its floor along; the others: with --full, or by name)
  --instances N      of each throughput run          (${short.instances}; --full: ${full.instances})
  --seconds N        of the latency run              (${short.seconds}; --full: ${full.seconds})
  --waiting N        instances that wait             (${short.waiting}; --full: ${full.waiting})
  --values N         in the changelog that is restored (${short.values}; --full: ${full.values})
  --open N           instances when a worker is killed (${short.open}; --full: ${full.open})
  --runs N           of each throughput workload     (${short.runs}; --full: ${full.runs})
  --full             the long form
  --profile          a CPU profile of each throughput workload, and where the time goes, instead of figures
  --log NAME,…       ${logNames.join(', ')} (both)
  --name NAME        of the files in bench/results   (short, full or profile)`

/** @throws {TypeError} with what is wrong, in a sentence. */
export function readOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string' },
      instances: { type: 'string' },
      seconds: { type: 'string' },
      runs: { type: 'string' },
      waiting: { type: 'string' },
      values: { type: 'string' },
      open: { type: 'string' },
      full: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      log: { type: 'string' },
      name: { type: 'string' },
    },
  })
  const form = values.full ? full : short
  const name = values.name ?? (values.profile ? 'profile' : values.full ? 'full' : 'short')
  if (!/^[\w.-]+$/.test(name)) throw new TypeError(`--name ${name}: letters, digits, '.', '_' and '-'`)
  return {
    only: new Set(values.only === undefined ? form.only : values.only.split(',').map((name) => oneOf(workloads, name))),
    logs: values.log === undefined ? logNames : values.log.split(',').map((log) => oneOf(logNames, log)),
    instances: wholeNumber('instances', values.instances, form.instances),
    seconds: wholeNumber('seconds', values.seconds, form.seconds),
    runs: wholeNumber('runs', values.runs, form.runs),
    waiting: wholeNumber('waiting', values.waiting, form.waiting),
    values: wholeNumber('values', values.values, form.values),
    open: wholeNumber('open', values.open, form.open),
    name,
    isProfiled: values.profile,
  }
}

function oneOf<Name extends string>(names: readonly Name[], name: string): Name {
  const found = names.find((each) => each === name)
  if (found === undefined) throw new TypeError(`'${name}' is none of ${names.join(', ')}`)
  return found
}

function wholeNumber(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`--${name} ${text}: a whole number from 1`)
  return value
}
