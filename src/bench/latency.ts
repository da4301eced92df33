// order, latency: instances started at a steady pace, whatever becomes of them; from the moment a start was due to its
// instance's completion being durable. A start that goes in late is late: waiting in front of a busy process counts.
import { setTimeout as pause } from 'node:timers/promises'
import { decodeInstance } from '../records/instance-codec.ts'
import { prefixes, topicsOf } from '../records/keys.ts'
import type { Reader } from '../runtime/ports.ts'
import { untilCompleted } from './completion.ts'
import { withEngine } from './engine.ts'
import { produceAll } from './feed.ts'
import { orderRecord, orderWorkflow } from './order.ts'
import { Responder } from './responder.ts'
import type { Ground, Site } from './site.ts'
import { quantile } from './statistics.ts'
import { runThroughput } from './throughput.ts'

const lookAgainMs = 5

export interface LatencyOptions {
  readonly ground: Ground
  readonly instancesPerSecond: number
  readonly seconds: number
  readonly warmUp: number
}

export interface Latency {
  readonly completed: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Runs the workload "order" at a steady pace; every instance has completed when it resolves. */
export function runLatency({ ground, instancesPerSecond, seconds, warmUp }: LatencyOptions): Promise<Latency> {
  return withEngine(ground, orderWorkflow, async (engine) => {
    const { log, app, signal } = engine
    const responder = new Responder(engine)
    await runThroughput(engine, { instances: 0, warmUp }, (id) => orderRecord(app, id))
    const ends = new Completions(engine, await endsOf(engine))
    try {
      const dueAtMs = new Map<string, number>()
      const count = Math.round(instancesPerSecond * seconds)
      const beganAtMs = performance.now()
      const produced: Promise<void>[] = []
      for (let index = 0; index < count; index++) {
        signal.throwIfAborted()
        const due = beganAtMs + (index * 1_000) / instancesPerSecond
        const waitMs = due - performance.now()
        if (waitMs > 0) await pause(waitMs)
        dueAtMs.set(`o-${index}`, due)
        const produce = produceAll(log, [orderRecord(app, `o-${index}`)])
        produce.catch(() => {}) // told by `Promise.all` below
        produced.push(produce)
      }
      await Promise.race([Promise.all(produced), responder.failure])
      await Promise.race([untilCompleted(engine, warmUp + count), responder.failure])
      // The reader of the changelog may be a moment behind the worker, who has committed it.
      while (!ends.haveAll(dueAtMs.keys())) {
        signal.throwIfAborted()
        await pause(lookAgainMs)
      }
      const tookMs = Array.from(dueAtMs, ([key, due]) => ends.atMs(key) - due).sort((a, b) => a - b)
      return {
        completed: tookMs.length,
        p50Ms: quantile(tookMs, 0.5),
        p99Ms: quantile(tookMs, 0.99),
        maxMs: quantile(tookMs, 1),
      }
    } finally {
      ends.close()
      responder.close()
    }
  })
}

async function endsOf({ log, app, partitions }: Site): Promise<readonly number[]> {
  const { changelog } = topicsOf(app)
  const offsets = Array.from({ length: partitions }, (_, partition) => log.offsets(changelog, partition))
  return (await Promise.all(offsets)).map(({ committedEnd }) => committedEnd)
}

/** When instances completed, as anyone can see it who reads the changelog: after the commit. */
class Completions {
  readonly #readers: readonly Reader[]
  readonly #atMs = new Map<string, number>()

  /** @param from the next offset of each partition of the changelog */
  constructor({ log, app }: Site, from: readonly number[]) {
    this.#readers = from.map((offset, partition) =>
      log.openReader({ topic: topicsOf(app).changelog, partition, offset, onReady: () => this.#read(partition) }),
    )
  }

  haveAll(keys: Iterable<string>): boolean {
    for (const key of keys) if (!this.#atMs.has(key)) return false
    return true
  }

  /** @throws {Error} It has not completed. */
  atMs(key: string): number {
    const atMs = this.#atMs.get(key)
    if (atMs === undefined) throw new Error(`the instance ${key} was not seen to complete`)
    return atMs
  }

  close(): void {
    for (const reader of this.#readers) reader.close()
  }

  #read(partition: number): void {
    const nowMs = performance.now()
    for (const { key, value } of this.#readers[partition]?.take(10_000) ?? []) {
      if (key === null || value === null || !Buffer.from(key).toString().startsWith(prefixes.instances)) continue
      // Payloads of their own are not looked at.
      const instance = decodeInstance(value, () => new Uint8Array())
      if (instance.status === 'COMPLETED') this.#atMs.set(instance.key, nowMs)
    }
  }
}
