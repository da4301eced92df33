// Everything that a seed decides before the world begins, as data: machines, programs, what the outside does and when,
// which strikes fall. A run follows its plan, so a plan that fails can be made smaller by leaving things out
// (shrink.ts). What is drawn on the way (which step is next, which request is lost, how long a service takes) comes from
// streams of the same seed that are named by what they are for: leaving one thing out does not shift another.
import type { Json } from '../../src/base/json.ts'
import { drawActs } from './acts.ts'
import { drawNetwork, type FaultPlan } from './faults.ts'
import { drawPrograms, type Programs } from './programs.ts'
import { createRandom } from './random.ts'
import { drawStrikes, type Strike } from './strikes.ts'

/** What the outside does of itself at a time after the start; services answer on top of it (outside.ts). */
export type Act = ProduceAct | CallAct

export interface ProduceAct {
  readonly kind: 'produce'
  readonly atMs: number
  readonly topic: string
  readonly partition: number
  readonly key: string | null
  /** Text as it is sent; null is a tombstone. */
  readonly value: string | null
  /** start: an instance has to come of it. poison: nobody can use it. record: for listeners, or for nobody. */
  readonly intent: 'start' | 'poison' | 'record'
  /** Sent in a transaction that its producer aborts: nobody may see it. */
  readonly isAborted?: boolean
}

/** A person or system that starts an instance through some worker's API, and asks again until it is answered. */
export interface CallAct {
  readonly kind: 'call'
  readonly atMs: number
  readonly workflow: string
  readonly key: string
  readonly input: Json
  readonly idempotencyKey: string
}

export interface Plan {
  readonly seed: number | string
  /** Machines w1, w2, … with a worker each. */
  readonly machines: number
  readonly partitions: number
  readonly standbys: number
  readonly network: FaultPlan
  readonly programs: Programs
  readonly acts: readonly Act[]
  /** In the order of their steps. */
  readonly strikes: readonly Strike[]
  /** Kills the process whose request reaches one of these points (wire.ts, S3). */
  readonly crashPoints: readonly number[]
}

/** The plan of a seed of the campaign: a bad day. */
export function planOf(seed: number): Plan {
  const random = createRandom(seed).stream('plan')
  const machines = random.pick([2, 3, 3, 4, 5])
  const programs = drawPrograms(random.stream('programs'))
  return {
    seed,
    machines,
    partitions: random.pick([2, 3, 4]),
    standbys: random.pick([0, 1, 1, 2]),
    network: drawNetwork(random.stream('network')),
    programs,
    acts: drawActs(programs, random.stream('acts')),
    strikes: drawStrikes({ machines, topics: Object.keys(programs.topics) }, random.stream('strikes')),
    crashPoints: [],
  }
}

/** A plan in which nothing fails but the one process that reaches a point; for crash points. */
export function quietPlan(seed: number | string, change: Partial<Plan> = {}): Plan {
  const random = createRandom(seed).stream('plan')
  const programs = change.programs ?? drawPrograms(random.stream('programs'))
  return {
    seed,
    machines: 1,
    partitions: 2,
    standbys: 0,
    network: drawNetwork(undefined),
    programs,
    acts: drawActs(programs, random.stream('acts')).slice(0, 8),
    strikes: [],
    crashPoints: [],
    ...change,
  }
}
