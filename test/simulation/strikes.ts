// What befalls machines, their disks and clocks, the group and the broker at certain steps of a run; what befalls single
// requests is the network's (faults.ts, wire.ts). Drawn before the run: a seed has some kinds, each several times, and not
// a little of everything. What no machine or topic is there for any more falls flat.
import { requestFaultKinds } from './faults.ts'
import type { Fleet } from './fleet.ts'
import { handlerFaultKinds } from './handlers.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

interface At {
  readonly atStep: number
  /** Starts the dead again right after it. */
  readonly restarts: boolean
}

export type Strike = At & (MachineStrike | BrokerStrike)

type MachineStrike = { readonly machine: string } & (
  /** join: the machine is off until then. upgrade: it leaves, and comes back with the latest release. */
  | { readonly what: 'crash' | 'expel' | 'leave' | 'join' | 'upgrade' | 'second-start' | 'backup' | 'put-back' }
  | { readonly what: 'power'; readonly loseBatches: readonly number[] }
  | { readonly what: 'pause' | 'disk-full' | 'disk-read-error' | 'disk-write-error'; readonly forMs: number }
  | { readonly what: 'cut'; readonly forMs: number; readonly isOneWay: boolean }
  | { readonly what: 'corrupt'; readonly partition: number }
  | { readonly what: 'clock-jump'; readonly byMs: number }
  | { readonly what: 'clock-rate'; readonly rate: number; readonly forMs: number }
)

type BrokerStrike =
  /** Several generations of the group, one soon after the other. */
  | { readonly what: 'storm'; readonly times: number; readonly everyMs: number }
  | { readonly what: 'group-away'; readonly forMs: number }
  | { readonly what: 'leaderless' | 'min-isr'; readonly topic: string; readonly partition: number; readonly forMs: number }
  | { readonly what: 'coordinator-away'; readonly transactionalId: string; readonly forMs: number }
  | { readonly what: 'forget-producer'; readonly transactionalId: string }
  | { readonly what: 'compact' | 'recreate'; readonly topic: string }
  | { readonly what: 'grow'; readonly topic: string; readonly by: number }
  /** Retention takes this share of what a partition holds. */
  | { readonly what: 'retain'; readonly topic: string; readonly partition: number; readonly share: number }
  | { readonly what: 'day' }

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
  corrupt: (of, random) => [
    { what: 'corrupt', machine: machineOf(of, random), partition: random.int(of.partitions) },
  ],
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
const weights: { readonly [kind in Kind]?: number } = { crash: 4, pause: 2, power: 2, recreate: 0.3, retain: 0.3, day: 0.3 }

/** The strikes as they are counted, for coverage. */
export const strikeKinds: readonly Strike['what'][] = [
  'crash',
  'expel',
  'leave',
  'join',
  'upgrade',
  'second-start',
  'backup',
  'put-back',
  'power',
  'pause',
  'disk-full',
  'disk-read-error',
  'disk-write-error',
  'cut',
  'corrupt',
  'clock-jump',
  'clock-rate',
  'storm',
  'group-away',
  'leaderless',
  'min-isr',
  'coordinator-away',
  'forget-producer',
  'compact',
  'recreate',
  'grow',
  'retain',
  'day',
]

/** Every kind of fault, as a run counts it (I20). */
export const faultKinds: readonly string[] = [
  ...requestFaultKinds,
  ...strikeKinds,
  ...handlerFaultKinds,
  'transaction-timeout',
]

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

/** Lets one fall; what it is for may not be there any more. */
export function strike(world: World, fleet: Fleet, one: Strike): void {
  if (isVain(world, one)) return
  world.scheduler.countFault(one.what)
  if ('machine' in one) strikeMachine(world, fleet, one)
  else strikeBroker(world, one)
}

function isVain(world: World, one: Strike): boolean {
  if (!('machine' in one)) return 'topic' in one && world.broker.findTopic(one.topic) === undefined
  if (one.what === 'join') return world.isAlive(one.machine)
  return !world.isAlive(one.machine)
}

function strikeMachine(world: World, fleet: Fleet, one: At & MachineStrike): void {
  const { machine } = one
  const disk = world.disk(machine)
  switch (one.what) {
    case 'crash':
      return world.crash(machine)
    case 'power':
      return world.crash(machine, { loseBatches: (partition) => one.loseBatches[partition] ?? 0 })
    case 'pause':
      return world.pause(machine, one.forMs)
    case 'expel':
      return world.expel(machine)
    case 'join':
      return fleet.start(machine)
    case 'upgrade':
      fleet.upgrade(machine)
      return fleet.leave(machine, true)
    case 'leave':
      return fleet.leave(machine, one.restarts)
    case 'second-start':
      return fleet.startSecond(machine)
    case 'cut':
      return world.breakFor(one.forMs, { what: 'cut', machine, isOneWay: one.isOneWay })
    case 'disk-full':
      disk.isFull = true
      return world.during(one.forMs, () => void (disk.isFull = false))
    case 'disk-read-error':
      disk.failsReads = true
      return world.during(one.forMs, () => void (disk.failsReads = false))
    case 'disk-write-error':
      disk.failsWrites = true
      return world.during(one.forMs, () => void (disk.failsWrites = false))
    case 'corrupt':
      if (disk.partitions().includes(one.partition)) disk.corrupt(one.partition)
      return
    case 'backup':
      return world.backUp(machine)
    case 'put-back':
      return world.putBack(machine)
    case 'clock-jump':
      return world.jumpClock(machine, one.byMs)
    case 'clock-rate':
      return world.runClock(machine, one.rate, one.forMs)
  }
}

function strikeBroker(world: World, one: At & BrokerStrike): void {
  const { broker, cluster, coordinator, scheduler } = world
  switch (one.what) {
    case 'storm':
      for (let time = 0; time < one.times; time++)
        scheduler.clock.after(time * one.everyMs, () => scheduler.enqueue('the group rebalances', () => coordinator.rebalance()))
      return
    case 'group-away':
      return world.breakFor(one.forMs, { what: 'group' })
    case 'leaderless':
    case 'min-isr':
      return world.breakFor(one.forMs, { what: one.what, place: `${one.topic}/${one.partition}` })
    case 'coordinator-away':
      return world.breakFor(one.forMs, { what: 'coordinator', transactionalId: one.transactionalId })
    case 'forget-producer':
      return cluster.forgetProducer(one.transactionalId)
    case 'compact':
      return cluster.compact(one.topic)
    case 'grow':
      return cluster.growTopic(one.topic, one.by)
    case 'recreate':
      return cluster.recreateTopic(one.topic)
    case 'retain': {
      const { earliest, committedEnd } = broker.offsets(one.topic, one.partition)
      return cluster.deleteRecords(one.topic, one.partition, earliest + Math.ceil((committedEnd - earliest) * one.share))
    }
    case 'day':
      return cluster.passDay()
  }
}
