// Handlers of a simulated worker: everything that a stranger's code may do, drawn for each run, and a journal of it that
// survives every crash, as the services behind real handlers do.
import { limits } from '../../src/base/limits.ts'
import type { Json } from '../../src/base/json.ts'
import { readRequest } from '../../src/handlers/http-request.ts'
import type { HandlerModule, HandlerSource, HandlerTaskInput } from '../../src/handlers/contract.ts'
import type { Clock } from '../../src/runtime/ports.ts'
import type { Random } from './random.ts'

export interface Run {
  readonly instanceId: string
  readonly task: string
  readonly attempt: number
  readonly idempotencyKey: string
  /** unusable: it returned what JSON cannot hold. late: it returned after it was told to stop. */
  outcome: 'running' | 'returned' | 'unusable' | 'threw' | 'aborted' | 'late'
  /** It began beside another of the same attempt in the same worker, which nobody had told to stop. */
  readonly isBeside: boolean
  /** What a run that returned gave. */
  output: Json | undefined
}

/** What handlers did in the world, whoever ran them. */
export type Journal = Run[]

export interface HandlersOptions {
  readonly clock: Clock
  /** The same for all workers: what a run does is drawn by its task, its attempt and how often that was run. */
  readonly random: Random
  readonly journal: Journal
  /** Counts what runs do, by `handlerFaultKinds`. */
  readonly onFault: (kind: string) => void
}

type Way = (typeof ways)[number]
const ways = [
  'return',
  'return-at-once',
  'return-nothing',
  'return-cyclic',
  'return-function',
  'return-huge',
  'throw-error',
  'throw-terminal',
  'throw-later',
  'throw-text',
  'throw-undefined',
  'throw-null',
  'throw-strange',
  'throw-at-once',
  'hang',
  'overtime',
  'deaf',
] as const

/** deaf: it hangs on when its time is over. */
const stopWays = ['at-once', 'in-time', 'in-time', 'throw', 'hang', 'deaf'] as const

/** What runs do beside returning in time, as it is counted. */
export const handlerFaultKinds: readonly string[] = [
  ...ways.filter((way) => way !== 'return').map((way) => `handler-${way}`),
  ...['throw', 'hang', 'deaf'].map((way) => `handler-stop-${way}`),
]

/** What a handler throws that names the time of its next attempt. */
export const later = { code: 'later', retryAfterMs: 1_500 } as const

const returns = 14
const inTimeMs = 4_000
/** Longer than the timeouts of tasks. */
const overtimeMs = 30_000

/** What a worker has to run: modules, and what performs `http` tasks. */
export function simulatedHandlers({ clock, random, journal, onFault }: HandlersOptions): {
  readonly handlers: HandlerSource
  readonly http: HandlerModule
} {
  /** Of this worker: begun, and not told to stop. */
  const underWay = new Set<Run>()
  const perform = (task: HandlerTaskInput): unknown => {
    const { attempt, idempotencyKey, name, instance } = task
    const before = journal.filter((one) => one.idempotencyKey === idempotencyKey && one.attempt === attempt).length
    const draws = random.stream(`${idempotencyKey} ${attempt} ${before}`)
    const run: Run = {
      instanceId: instance.id,
      task: name,
      attempt,
      idempotencyKey,
      isBeside: [...underWay].some(
        (one) => one.outcome === 'running' && one.idempotencyKey === idempotencyKey && one.attempt === attempt,
      ),
      outcome: 'running',
      output: undefined,
    }
    journal.push(run)
    underWay.add(run)
    task.signal.addEventListener('abort', () => underWay.delete(run))
    const way = drawWay(draws)
    if (way !== 'return') onFault(`handler-${way}`)
    return behave(way, run, task, clock, draws)
  }
  const examine: HandlerModule = {
    name: 'examine',
    run: perform,
    stop: ({ idempotencyKey, attempt }, signal) => {
      const draws = random.stream(`stop ${idempotencyKey} ${attempt}`)
      const way = draws.pick(stopWays)
      if (way === 'at-once') return
      if (way !== 'in-time') onFault(`handler-stop-${way}`)
      return cleanUp(way, signal, clock, draws)
    },
  }
  // Any service does what any handler does; what it is asked has to be a request.
  const http: HandlerModule = {
    name: 'http',
    run: (task) => {
      readRequest(task.input)
      return perform(task)
    },
  }
  return { handlers: { find: (name) => (name === 'examine' ? examine : undefined), names: ['examine'] }, http }
}

const drawWay = (random: Random): Way => ways[Math.max(0, random.int(ways.length + returns) - returns)]!

function behave(way: Way, run: Run, task: HandlerTaskInput, clock: Clock, random: Random): unknown {
  const atOnce = run.attempt
  if (way === 'return-at-once') return finish(run, { by: atOnce })
  if (way === 'throw-at-once') {
    run.outcome = 'threw'
    throw new Error(way)
  }
  return new Promise((resolve, reject) => {
    const isDeaf = way === 'deaf'
    task.signal.addEventListener('abort', () => {
      if (isDeaf || run.outcome !== 'running') return
      run.outcome = 'aborted'
      reject(new Error('aborted'))
    })
    if (way === 'hang') return
    const tookMs = random.int(inTimeMs) + (isDeaf || way === 'overtime' ? overtimeMs : 0)
    clock.after(Math.floor(tookMs / 2), () => task.heartbeat({ way }))
    clock.after(tookMs, () => {
      if (run.outcome !== 'running') return
      if (way.startsWith('throw')) {
        run.outcome = 'threw'
        return reject(thrown(way))
      }
      resolve(way.startsWith('return-') ? returned(way, run) : finish(run, { by: atOnce }, task.signal.aborted))
    })
  })
}

/** What a handler does when it is stopped. */
async function cleanUp(
  way: (typeof stopWays)[number],
  signal: AbortSignal,
  clock: Clock,
  random: Random,
): Promise<void> {
  if (way === 'throw') throw new Error(way)
  await new Promise<void>((resolve) => {
    if (way === 'in-time') clock.after(random.int(3_000), resolve)
    else if (way === 'hang') signal.addEventListener('abort', () => resolve())
  })
}

function finish(run: Run, output: Json, isLate = false): Json {
  run.outcome = isLate ? 'late' : 'returned'
  run.output = output
  return output
}

function returned(way: Way, run: Run): unknown {
  if (way === 'return-nothing') {
    finish(run, null)
    return undefined
  }
  run.outcome = 'unusable'
  if (way === 'return-function') return { of: () => way }
  if (way === 'return-huge') return 'x'.repeat(limits.payloadBytesMax)
  const cyclic: { self?: object } = {}
  cyclic.self = cyclic
  return cyclic
}

function thrown(way: Way): unknown {
  switch (way) {
    case 'throw-terminal':
      return Object.assign(new Error(way), { code: 'terminal', retryable: false })
    case 'throw-later':
      return Object.assign(new Error(way), later)
    case 'throw-text':
      return way
    case 'throw-undefined':
      return undefined
    case 'throw-null':
      return null
    case 'throw-strange':
      return {
        code: 42,
        get retryable(): never {
          throw new Error('even to ask throws')
        },
      }
    default:
      return new Error(way)
  }
}
