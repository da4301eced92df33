// Workers as they are in production: processes of their own, which can be killed. What feeds them and sees what comes out
// is this process, as a client of the broker.
import { orderWorkflow } from '../src/bench/order.ts'
import { withSite, type Ground, type Site } from '../src/bench/site.ts'
import type { Reader } from '../src/runtime/ports.ts'
import { Site as DaemonSite, type Daemon } from '../test/support/daemon.ts'

const recordsAtOnce = 1_000
/** Nothing that is waited for takes so long. */
const givenUpMs = 300_000

const decoder = new TextDecoder()

export interface Place extends Site {
  readonly home: DaemonSite
  /** Starts a worker that serves the workload "order"; `data` is below its home. */
  launch(data: string): Daemon
}

/** Runs with a directory in which workers live, and ends and removes them afterwards. */
export function withDaemons<T>(
  ground: Ground,
  brokers: readonly string[],
  run: (place: Place) => Promise<T>,
): Promise<T> {
  return withSite(ground, async (site) => {
    const { app, partitions } = site
    const home = new DaemonSite()
    try {
      const { file, text } = orderWorkflow(app)
      home.write(`workflows/${file}`, text)
      const flags = [
        '--brokers',
        brokers.join(','),
        '--app',
        app,
        '--partitions',
        `${partitions}`,
        '--log-level',
        'warn',
      ]
      return await run({ ...site, home, launch: (data) => home.launch(...flags, '--data', data) })
    } finally {
      await home.close()
    }
  })
}

/** Resolves when every partition runs, and each worker has as many as the others. */
export async function untilShared(workers: readonly Daemon[], partitions: number): Promise<void> {
  for (const worker of workers) {
    await worker.until(async () => {
      const { isReady, partitions: owned } = await worker.health()
      return isReady && owned.length === partitions / workers.length ? true : undefined
    })
  }
}

/** The commands that come out of a topic from now on, by the order that they are for. */
export class Commands {
  readonly #readers: Reader[] = []
  readonly #seen = new Map<string, number>()
  #wake = (): void => {}

  static async follow({ log, partitions }: Pick<Site, 'log' | 'partitions'>, topic: string): Promise<Commands> {
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
