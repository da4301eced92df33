// recovery: what a crash costs. So many instances of "order" wait for their first answer when their worker is killed:
// started again with its data directory, started again without it, or taken over by a second worker.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { partitionOfText } from '../../src/base/partitioner.ts'
import { feed, keyedRecord } from '../../src/bench/feed.ts'
import { orderRecord, orderTopics } from '../../src/bench/order.ts'
import type { Ground, Site } from '../../src/bench/site.ts'
import type { OutgoingRecord } from '../../src/runtime/ports.ts'
import type { Daemon } from '../../test/support/daemon.ts'
import { Commands, untilShared, withDaemons, type Place } from '../daemons.ts'
import { median, numberText, recoveryGoals, type Figure } from '../figures.ts'

const lookEveryMs = 50
const settledWithinMs = 120_000
/** The part of the instances that is answered after each start. */
const answeredPart = 0.1

/** In seconds. */
export interface Restarted {
  /** From the start of the process until it says that it is ready. */
  readonly ready: number
  /** From the start of the process until an instance that was answered meanwhile goes on. */
  readonly goesOn: number
  /** From the first of the answers that come then until all of them are worked off. */
  readonly workedOff: number
}

/** In seconds from the kill; the session of the dead worker is in them, which began anew with its last heartbeat. */
export interface TakenOver {
  /** Until an instance of the dead worker's goes on. */
  readonly first: number
  /** Until there is one in each of its partitions. */
  readonly last: number
}

export interface Recovery {
  readonly answers: number
  readonly withData: Restarted
  readonly withoutData: Restarted
  readonly takenOver: TakenOver
}

/** The figures of a crash with so many instances open; once, as it is long. */
export async function measureRecovery(
  ground: Ground,
  brokers: readonly string[],
  open: number,
  tell: (line: string) => void,
): Promise<readonly Figure[]> {
  const { answers, withData, withoutData, takenOver } = await runRecovery(ground, brokers, open, tell)
  const restarts = [
    ['with its data', withData],
    ['without its data', withoutData],
  ] as const
  return [
    ...restarts.flatMap(([how, { ready, goesOn, workedOff }]) => [
      median(`started ${how}, ${numberText(open)} open: ready`, 's', [ready]),
      median(`started ${how}: the first goes on`, 's', [goesOn]),
      median(`started ${how}: ${numberText(answers)} answers worked off`, 's', [workedOff]),
    ]),
    median('taken over, from the kill: the first goes on', 's', [takenOver.first]),
    median('taken over, from the kill: one in each partition', 's', [takenOver.last], recoveryGoals.takeOver),
  ]
}

/** Runs with so many instances that wait. */
function runRecovery(
  ground: Ground,
  brokers: readonly string[],
  waiting: number,
  tell: (line: string) => void,
): Promise<Recovery> {
  return withDaemons(ground, brokers, async (place) => {
    const first = place.launch('data')
    await first.ready()
    await feed(place, waiting, (index) => orderRecord(place.app, nameOf(index)))
    await until(async () => (await first.counter('channel_joined')) >= waiting)
    tell(`${waiting} instances wait`)
    const commands = await Commands.follow(place, orderTopics(place.app).warehouseCommands)
    try {
      const crowd = new Crowd(place, commands, waiting)
      const answers = Math.floor(waiting * answeredPart)
      const again = await restart(place, first, crowd, answers)
      tell(`with its data: ${told(again.took)}`)
      await again.daemon.kill()
      await rm(join(place.home.directory, 'data'), { recursive: true })
      const anew = await restart(place, again.daemon, crowd, answers)
      tell(`without: ${told(anew.took)}`)
      const takenOver = await takeOver(place, anew.daemon, crowd)
      tell(`taken over: ${told(takenOver)}`)
      return { answers, withData: again.took, withoutData: anew.took, takenOver }
    } finally {
      commands.close()
    }
  })
}

/** Kills a worker, where it still runs, and starts it again. */
async function restart(
  place: Place,
  daemon: Daemon,
  crowd: Crowd,
  answers: number,
): Promise<{ daemon: Daemon; took: Restarted }> {
  await daemon.kill()
  const startedAtMs = performance.now()
  const next = place.launch('data')
  const [ready, goesOn] = await Promise.all([
    next.ready().then(() => secondsSince(startedAtMs)),
    crowd.answer(crowd.some(1)).then((atMs) => secondsSince(startedAtMs, atMs)),
  ])
  const answeredAtMs = performance.now()
  const workedOff = secondsSince(answeredAtMs, await crowd.answer(crowd.some(answers)))
  return { daemon: next, took: { ready, goesOn, workedOff } }
}

/** A second worker joins and gets its half; then the first is killed. */
async function takeOver(place: Place, first: Daemon, crowd: Crowd): Promise<TakenOver> {
  const second = place.launch('data-2')
  await second.ready()
  await untilShared([first, second], place.partitions)
  const lost = (await first.health()).partitions.map(({ partition }) => partition)
  const killedAtMs = performance.now()
  await first.kill()
  const goneOn = await Promise.all(lost.map((partition) => crowd.answer([crowd.oneIn(partition)])))
  const took = goneOn.map((atMs) => secondsSince(killedAtMs, atMs))
  return { first: Math.min(...took), last: Math.max(...took) }
}

/** Instances that wait for an answer. */
class Crowd {
  readonly #site: Site
  readonly #commands: Commands
  readonly #waiting: Set<string>

  constructor(site: Site, commands: Commands, size: number) {
    this.#site = site
    this.#commands = commands
    this.#waiting = new Set(Array.from({ length: size }, (_, index) => nameOf(index)))
  }

  /** So many that still wait, from now on no more. */
  some(count: number): readonly string[] {
    const taken = [...this.#waiting].slice(0, count)
    for (const name of taken) this.#waiting.delete(name)
    return taken
  }

  oneIn(partition: number): string {
    const found = [...this.#waiting].find((name) => partitionOfText(name, this.#site.partitions) === partition)
    if (found === undefined) throw new Error(`nobody waits in partition ${partition}`)
    this.#waiting.delete(found)
    return found
  }

  /** Answers these; resolves with when the last of them went on. */
  async answer(names: readonly string[]): Promise<number> {
    await feed(this.#site, names.length, (index) => this.#answerTo(names[index] ?? ''))
    return this.#commands.lastOf(names)
  }

  #answerTo(orderId: string): OutgoingRecord {
    const fields = { orderId, status: 'done', reference: `R-${orderId}` }
    return keyedRecord(orderTopics(this.#site.app).paymentEvents, orderId, fields)
  }
}

const nameOf = (index: number): string => `r-${index}`

const secondsSince = (fromMs: number, toMs = performance.now()): number => (toMs - fromMs) / 1_000

const told = (took: object): string =>
  Object.entries(took)
    .map(([name, seconds]) => `${name} ${Number(seconds).toFixed(2)} s`)
    .join(', ')

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + settledWithinMs; !(await isSo()); await pause(lookEveryMs))
    if (performance.now() > endMs) throw new Error('the workers do not settle')
}
