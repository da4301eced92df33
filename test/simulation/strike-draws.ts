// Which strikes a seed has: a few kinds, each several times, and not a little of everything (swarm testing). Each strike
// comes from a stream of its own, so that leaving one out does not shift the others.
import type { Random } from './random.ts'
import type { BrokerStrike, MachineStrike, Strike } from './strikes.ts'

export interface Struck {
  readonly app: string
  readonly machines: number
  readonly partitions: number
  /** Topics that workers read, with their partitions. */
  readonly sources: { readonly [topic: string]: number }
}

type Draw = (of: Struck, random: Random) => readonly (MachineStrike | BrokerStrike)[]

const seconds = (random: Random): number => 1_000 * random.pick([1, 2, 5, 12, 30])
const machineOf = ({ machines }: Struck, random: Random): string => `w${1 + random.int(machines)}`
const sourceOf = ({ sources }: Struck, random: Random): string => random.pick(Object.keys(sources))
const producerOf = ({ app, partitions }: Struck, random: Random): string =>
  random.pick([`${app}-${random.int(partitions)}`, `${app}.definitions-${app}`])

/** A partition of one of the topics that have to work. */
function placeOf(of: Struck, random: Random): { topic: string; partition: number } {
  const { app, partitions, sources } = of
  const own = { [`${app}.changelog`]: partitions, [`${app}.inbox`]: partitions, [`${app}.definitions`]: 1 }
  const [topic, count] = random.pick(Object.entries({ ...own, ...sources }))
  return { topic, partition: random.int(count) }
}

/** How each kind is drawn; a kind of several strikes puts them at one step after the other. */
const kinds = {
  crash: (of, random) => [{ what: 'crash', machine: machineOf(of, random) }],
  'crash-twice': (of, random) => {
    const machine = machineOf(of, random)
    return [
      { what: 'crash', machine },
      { what: 'crash', machine },
    ]
  },
  power: (of, random) => {
    const loseBatches = Array.from({ length: of.partitions }, () => random.int(6))
    return [{ what: 'power', machine: machineOf(of, random), loseBatches }]
  },
  pause: (of, random) => [{ what: 'pause', machine: machineOf(of, random), forMs: seconds(random) }],
  expel: (of, random) => [{ what: 'expel', machine: machineOf(of, random) }],
  leave: (of, random) => [{ what: 'leave', machine: machineOf(of, random) }],
  join: (of) => [{ what: 'join', machine: `w${of.machines}` }],
  upgrade: (of, random) => [{ what: 'upgrade', machine: machineOf(of, random) }],
  'second-start': (of, random) => [{ what: 'second-start', machine: machineOf(of, random) }],
  storm: (_of, random) => [{ what: 'storm', times: 2 + random.int(5), everyMs: random.pick([0, 5, 100]) }],
  'group-away': (_of, random) => [{ what: 'group-away', forMs: seconds(random) }],
  cut: (of, random) => [
    { what: 'cut', machine: machineOf(of, random), forMs: seconds(random), isOneWay: random.chance(0.5) },
  ],
  leaderless: (of, random) => [{ what: 'leaderless', ...placeOf(of, random), forMs: seconds(random) }],
  'min-isr': (of, random) => [{ what: 'min-isr', ...placeOf(of, random), forMs: seconds(random) }],
  'coordinator-away': (of, random) => [
    { what: 'coordinator-away', transactionalId: producerOf(of, random), forMs: seconds(random) },
  ],
  'forget-producer': (of, random) => [{ what: 'forget-producer', transactionalId: producerOf(of, random) }],
  compact: ({ app }, random) => [{ what: 'compact', topic: `${app}.${random.pick(['changelog', 'definitions'])}` }],
  grow: (of, random) => [{ what: 'grow', topic: sourceOf(of, random), by: 1 + random.int(2) }],
  recreate: (of, random) => [{ what: 'recreate', topic: sourceOf(of, random) }],
  retain: (of, random) => {
    const topic = sourceOf(of, random)
    const partition = random.int(of.sources[topic]!)
    return [{ what: 'retain', topic, partition, share: random.pick([0.3, 1]) }]
  },
  day: () => [{ what: 'day' }],
  'disk-full': (of, random) => [{ what: 'disk-full', machine: machineOf(of, random), forMs: seconds(random) }],
  'disk-read-error': (of, random) => [
    { what: 'disk-read-error', machine: machineOf(of, random), forMs: seconds(random) },
  ],
  'disk-write-error': (of, random) => [
    { what: 'disk-write-error', machine: machineOf(of, random), forMs: seconds(random) },
  ],
  corrupt: (of, random) => [{ what: 'corrupt', machine: machineOf(of, random), partition: random.int(of.partitions) }],
  backup: (of, random) => {
    const machine = machineOf(of, random)
    return [
      { what: 'backup', machine },
      { what: 'put-back', machine },
    ]
  },
  'clock-jump': (of, random) => [
    {
      what: 'clock-jump',
      machine: machineOf(of, random),
      byMs: random.pick([-3_600_000, -1_000, 1_000, 10_000, 3_600_000]),
    },
  ],
  'clock-rate': (of, random) => [
    { what: 'clock-rate', machine: machineOf(of, random), rate: random.pick([0, 2]), forMs: seconds(random) },
  ],
} as const satisfies { readonly [kind: string]: Draw }

type Kind = keyof typeof kinds
const common = 1
/** How often a kind is in a seed, against the others; what takes records away leaves less to be checked. */
const weights: { readonly [kind in Kind]?: number } = {
  crash: 4,
  pause: 2,
  power: 2,
  recreate: 0.3,
  retain: 0.3,
  day: 0.3,
}

const strikesMax = 8
const kindsOfSeed = 4

export function drawStrikes(of: Struck, random: Random): readonly Strike[] {
  const chosen = Array.from({ length: kindsOfSeed }, () => drawKind(random))
  const strikes: Strike[] = []
  let atStep = 0
  while (strikes.length < strikesMax) {
    atStep += 20 + random.int(300)
    const restarts = random.chance(0.7)
    const draw: Draw = kinds[random.pick(chosen)]
    for (const [index, one] of draw(of, random.stream(`strike ${strikes.length}`)).entries()) {
      if (index > 0) atStep += 1 + random.int(60)
      strikes.push({ ...one, atStep, restarts: restarts || index > 0 || one.what === 'crash' })
    }
  }
  return strikes
}

function drawKind(random: Random): Kind {
  const all = Object.keys(kinds) as Kind[]
  const weightOf = (kind: Kind): number => weights[kind] ?? common
  let left = random.next() * all.reduce((sum, kind) => sum + weightOf(kind), 0)
  return all.find((kind) => (left -= weightOf(kind)) < 0) ?? 'crash'
}
