// Workers as they are in production, processes of their own, on a broker of their own: they can be killed. What feeds
// them and sees what comes out is this process, as a client of the broker.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openKafkaLog } from '../src/adapters/platformatic/log.ts'
import { systemClock } from '../src/adapters/system/clock.ts'
import { silentLogger } from '../src/base/logger.ts'
import type { Log, Reader } from '../src/runtime/ports.ts'
import { Site, type Daemon } from '../test/support/daemon.ts'
import { startBroker } from '../test/support/kafka/broker.ts'
import { partitions } from './engine.ts'
import { app } from './logs.ts'

const recordsAtOnce = 1_000
/** Nothing that is waited for takes so long. */
const givenUpMs = 300_000

const decoder = new TextDecoder()

export interface Place {
  readonly log: Log
  readonly site: Site
  /** Starts a worker that serves one file of bench/workflows; `data` is below the site. */
  launch(data: string): Daemon
}

/** Runs with a broker and a directory in which workers live, and removes both afterwards. */
export async function withDaemons<T>(workflow: string, run: (place: Place) => Promise<T>): Promise<T> {
  const broker = await startBroker()
  const site = new Site()
  try {
    const text = await readFile(join(import.meta.dirname, 'workflows', `${workflow}.yaml`), 'utf8')
    site.write(`workflows/${workflow}.yaml`, text)
    const log = await openKafkaLog({
      brokers: [broker.address],
      clientId: 'bench-client',
      clock: systemClock,
      logger: silentLogger,
    })
    try {
      const flags = ['--brokers', broker.address, '--app', app, '--partitions', String(partitions)]
      return await run({ log, site, launch: (data) => site.launch(...flags, '--data', data) })
    } finally {
      await log.close()
    }
  } finally {
    await site.close()
    await broker.dispose()
  }
}

/** The commands that come out of a topic from now on, by the order that they are for. */
export class Commands {
  readonly #readers: Reader[] = []
  readonly #seen = new Map<string, number>()
  #wake = (): void => {}

  /** @param topic of as many partitions as all have here */
  static async follow(log: Log, topic: string): Promise<Commands> {
    const commands = new Commands()
    for (let partition = 0; partition < partitions; partition++) {
      const { end } = await log.offsets(topic, partition)
      const reader = log.openReader({ topic, partition, offset: end, onReady: () => commands.#take(reader) })
      commands.#readers.push(reader)
    }
    return commands
  }

  /** Resolves with when the last of these orders got its command, by `performance.now()`. @throws {Error} It takes too long. */
  async lastOf(orders: readonly string[]): Promise<number> {
    const givenUpAtMs = performance.now() + givenUpMs
    for (;;) {
      const missing = orders.filter((order) => !this.#seen.has(order))
      if (missing.length === 0) return Math.max(...orders.map((order) => this.#seen.get(order) ?? 0))
      if (performance.now() > givenUpAtMs) throw new Error(`${missing.length} of ${orders.length} orders do not go on`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        setTimeout(resolve, 1_000)
      })
    }
  }

  close(): void {
    for (const reader of this.#readers) reader.close()
  }

  #take(reader: Reader): void {
    for (;;) {
      const records = reader.take(recordsAtOnce)
      if (records.length === 0) return this.#wake()
      const nowMs = performance.now()
      for (const { value } of records) {
        if (value === null) continue
        const { orderId }: { orderId: string } = JSON.parse(decoder.decode(value))
        this.#seen.set(orderId, nowMs)
      }
    }
  }
}
