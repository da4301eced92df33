// What befalls machines, their disks and clocks, the group and the broker at certain steps of a run; what befalls single
// requests is the network's (faults.ts, wire.ts). Drawn before the run by strike-draws.ts. A strike whose machine or topic
// is not there any more falls flat.
import { requestFaultKinds } from './faults.ts'
import type { Fleet } from './fleet.ts'
import { handlerFaultKinds } from './handlers.ts'
import type { World } from './world.ts'

interface At {
  readonly atStep: number
  /** Starts the dead again right after it. */
  readonly restarts: boolean
}

export type Strike = At & (MachineStrike | BrokerStrike)

export type MachineStrike = { readonly machine: string } &
  /** join: the machine is off until then. upgrade: it leaves, and comes back with the latest release. */
  (
    | { readonly what: 'crash' | 'expel' | 'leave' | 'join' | 'upgrade' | 'second-start' | 'backup' | 'put-back' }
    | { readonly what: 'power'; readonly loseBatches: readonly number[] }
    | { readonly what: 'pause' | 'disk-full' | 'disk-read-error' | 'disk-write-error'; readonly forMs: number }
    | { readonly what: 'cut'; readonly forMs: number; readonly isOneWay: boolean }
    | { readonly what: 'corrupt'; readonly partition: number }
    | { readonly what: 'clock-jump'; readonly byMs: number }
    | { readonly what: 'clock-rate'; readonly rate: number; readonly forMs: number }
  )

export type BrokerStrike =
  /** Several generations of the group, one soon after the other. */
  | { readonly what: 'storm'; readonly times: number; readonly everyMs: number }
  | { readonly what: 'group-away'; readonly forMs: number }
  | {
      readonly what: 'leaderless' | 'min-isr'
      readonly topic: string
      readonly partition: number
      readonly forMs: number
    }
  | { readonly what: 'coordinator-away'; readonly transactionalId: string; readonly forMs: number }
  | { readonly what: 'forget-producer'; readonly transactionalId: string }
  | { readonly what: 'compact' | 'recreate'; readonly topic: string }
  | { readonly what: 'grow'; readonly topic: string; readonly by: number }
  /** Retention takes this share of what a partition holds. */
  | { readonly what: 'retain'; readonly topic: string; readonly partition: number; readonly share: number }
  | { readonly what: 'day' }

const counted = {
  crash: true,
  expel: true,
  leave: true,
  join: true,
  upgrade: true,
  'second-start': true,
  backup: true,
  'put-back': true,
  power: true,
  pause: true,
  'disk-full': true,
  'disk-read-error': true,
  'disk-write-error': true,
  cut: true,
  corrupt: true,
  'clock-jump': true,
  'clock-rate': true,
  storm: true,
  'group-away': true,
  leaderless: true,
  'min-isr': true,
  'coordinator-away': true,
  'forget-producer': true,
  compact: true,
  recreate: true,
  grow: true,
  retain: true,
  day: true,
} satisfies { readonly [what in Strike['what']]: true }

/** The strikes as they are counted, for coverage. */
export const strikeKinds: readonly string[] = Object.keys(counted)

/** Every kind of fault, as a run counts it (I20). */
export const faultKinds: readonly string[] = [
  ...requestFaultKinds,
  ...strikeKinds,
  ...handlerFaultKinds,
  'transaction-timeout',
]

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
        scheduler.clock.after(time * one.everyMs, () =>
          scheduler.enqueue('the group rebalances', () => coordinator.rebalance()),
        )
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
      return cluster.deleteRecords(
        one.topic,
        one.partition,
        earliest + Math.ceil((committedEnd - earliest) * one.share),
      )
    }
    case 'day':
      return cluster.passDay()
  }
}
