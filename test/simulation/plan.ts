// Everything that a seed decides before the world begins, as data: machines, programs, what the outside does and when,
// which strikes fall. A run follows its plan, so a plan that fails can be made smaller by leaving things out
// (shrink.ts). What is drawn on the way (which step is next, which request is lost, how long a service takes) comes from
// streams of the same seed that are named by what they are for: leaving one thing out does not shift another.
import type { Json } from '../../src/base/json.ts'
import { drawActs } from './acts.ts'
import type { Content } from './content.ts'
import { drawNetwork, type FaultPlan } from './faults.ts'
import { drawPrograms, type Programs } from './programs.ts'
import { createRandom } from './random.ts'
import { drawStrikes } from './strike-draws.ts'
import type { Strike } from './strikes.ts'

/** What the outside does of itself at a time after the start; services answer on top of it (outside.ts). */
export type Act = ProduceAct | CallAct | SignalAct

export interface ProduceAct {
  readonly kind: 'produce'
  readonly atMs: number
  readonly topic: string
  readonly partition: number
  readonly key: Content
  readonly value: Content
  /** start: instances have to come of it. poison: nobody can use it. record: for listeners, or for nobody. */
  readonly intent: 'start' | 'poison' | 'record'
  /** In a transaction that its producer decides so long after it was opened: nobody may see it before, or ever. */
  readonly transaction?: { readonly outcome: 'committed' | 'aborted'; readonly openMs: number }
}

/** A person or system that starts an instance through some worker's API, and asks again until it is answered. */
export interface CallAct {
  readonly kind: 'call'
  readonly atMs: number
  readonly workflow: string
  readonly key: string
  readonly input: Json
  readonly idempotencyKey: string
  /** Asks once more so long after it was answered: the answer has to be the same instance. */
  readonly asksAgainAfterMs?: number
}

/** A person who looks for an instance, and signals to it: by the name of a task that waits, or by one that tasks use. */
export interface SignalAct {
  readonly kind: 'signal'
  readonly atMs: number
  readonly workflow: string
  readonly key: string
  /** A text that no other signal has. */
  readonly payload: string
}

export interface Plan {
  readonly seed: number | string
  /** Machines w1, w2, … with a worker each. */
  readonly machines: number
  readonly partitions: number
  readonly standbys: number
  readonly network: FaultPlan
  /** Whether workflows that do not say are told of in the updates' topic. */
  readonly updates: boolean
  readonly programs: Programs
  readonly acts: readonly Act[]
  /** In the order of their steps. */
  readonly strikes: readonly Strike[]
  /** Kills the process whose request reaches one of these points (wire.ts, S3). */
  readonly crashPoints: readonly number[]
  /** From the last strike to the end: sessions of the dead end, handlers that hang time out, retries and timeouts come. */
  readonly healingMs: number
}

/** The application of every simulated run. */
export const app = 'sim'

/** The plan of a seed of the campaign: a bad day. */
export function planOf(seed: number): Plan {
  const random = createRandom(seed).stream('plan')
  const machines = random.pick([3, 3, 3, 4, 5])
  const partitions = random.pick([2, 3, 4])
  const programs = drawPrograms(random.stream('programs'))
  return {
    seed,
    machines,
    partitions,
    standbys: random.pick([0, 1, 1, 2]),
    updates: random.stream('updates').chance(0.4),
    network: drawNetwork(random.stream('network')),
    programs,
    acts: drawActs(programs, random.stream('acts')),
    strikes: drawStrikes({ app, machines, partitions, sources: sourcesOf(programs) }, random.stream('strikes')),
    crashPoints: [],
    healingMs: 180_000,
  }
}

/** A plan in which nothing fails but the one process that reaches a point; for crash points. */
export function quietPlan(seed: number | string, change: Partial<Plan> = {}): Plan {
  const random = createRandom(seed).stream('plan')
  const programs = change.programs ?? drawPrograms(random.stream('programs'), { isSmall: true })
  return {
    seed,
    machines: 1,
    partitions: 2,
    standbys: 0,
    updates: true,
    network: drawNetwork(undefined),
    programs,
    acts: drawActs(programs, random.stream('acts'), 4),
    strikes: [],
    crashPoints: [],
    healingMs: 90_000,
    ...change,
  }
}

/** The topics that workers read. */
function sourcesOf({ topics, commandTopics }: Programs): Programs['topics'] {
  return Object.fromEntries(Object.entries(topics).filter(([name]) => !commandTopics.includes(name)))
}
