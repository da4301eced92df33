// recovery: what a crash costs. So many instances of "order" wait for their first answer when their worker is killed:
// started again with its data directory, started again without it, or taken over by a second worker.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { partitionOfText } from '../../src/base/partitioner.ts'
import type { Log } from '../../src/runtime/ports.ts'
import type { Daemon } from '../../test/support/daemon.ts'
import { Commands, withDaemons, type Place } from '../daemons.ts'
import { partitions } from '../engine.ts'
import { feed, keyedRecord } from '../feed.ts'
import { order } from './order.ts'

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

/** Runs with so many instances that wait. */
export function runRecovery(waiting: number, tell: (line: string) => void): Promise<Recovery> {
  return withDaemons('order', async (place) => {
    const first = place.launch('data')
    await first.ready()
    await feed(place.log, waiting, (index) => order(nameOf(index)))
    await until(async () => (await first.counter('channel_joined')) >= waiting)
    tell(`${waiting} instances wait`)
    const commands = await Commands.follow(place.log, 'warehouse-commands')
    try {
      const crowd = new Crowd(place.log, commands, waiting)
      const answers = Math.floor(waiting * answeredPart)
      const again = await restart(place, first, crowd, answers)
      tell(`with its data: ${told(again.took)}`)
      await again.daemon.kill()
      await rm(join(place.site.directory, 'data'), { recursive: true })
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
  await until(async () => {
    const views = await Promise.all([first.health(), second.health()])
    return (
      views.every(({ isReady }) => isReady) &&
      views.reduce((sum, view) => sum + view.partitions.length, 0) === partitions
    )
  })
  const lost = (await first.health()).partitions.map(({ partition }) => partition)
  const killedAtMs = performance.now()
  await first.kill()
  const goneOn = await Promise.all(lost.map((partition) => crowd.answer([crowd.oneIn(partition)])))
  const took = goneOn.map((atMs) => secondsSince(killedAtMs, atMs))
  return { first: Math.min(...took), last: Math.max(...took) }
}

/** Instances that wait for an answer. */
class Crowd {
  readonly #log: Log
  readonly #commands: Commands
  readonly #waiting: Set<string>

  constructor(log: Log, commands: Commands, size: number) {
    this.#log = log
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
    const found = [...this.#waiting].find((name) => partitionOfText(name, partitions) === partition)
    if (found === undefined) throw new Error(`nobody waits in partition ${partition}`)
    this.#waiting.delete(found)
    return found
  }

  /** Answers these; resolves with when the last of them went on. */
  async answer(names: readonly string[]): Promise<number> {
    await feed(this.#log, names.length, (index) => answerTo(names[index] ?? ''))
    return this.#commands.lastOf(names)
  }
}

const nameOf = (index: number): string => `r-${index}`

const answerTo = (orderId: string) =>
  keyedRecord('payment-events', orderId, { orderId, status: 'done', reference: `R-${orderId}` })

const secondsSince = (fromMs: number, toMs = performance.now()): number => (toMs - fromMs) / 1_000

const told = (took: object): string =>
  Object.entries(took)
    .map(([name, seconds]) => `${name} ${Number(seconds).toFixed(2)} s`)
    .join(', ')

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + settledWithinMs; !(await isSo()); await pause(lookEveryMs))
    if (performance.now() > endMs) throw new Error('the workers do not settle')
}
