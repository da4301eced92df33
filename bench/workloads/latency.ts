// order, latency: instances started at a steady pace, whatever becomes of them; from the moment a start was due to its
// instance's completion being durable. A start that goes in late is late: waiting in front of a busy process counts.
import { setTimeout as pause } from 'node:timers/promises'
import { decodeInstance } from '../../src/records/instance-codec.ts'
import { prefixes, topicsOf } from '../../src/records/keys.ts'
import { withEngine, workflowFile, partitions } from '../engine.ts'
import { untilCompleted } from '../completion.ts'
import { produceAll } from '../feed.ts'
import { app, type OpenLog } from '../logs.ts'
import type { Log, Reader } from '../../src/runtime/ports.ts'
import { Responder } from '../responder.ts'
import { order, runThroughput } from './order.ts'

const lookAgainMs = 5

export interface LatencyOptions {
  readonly openLog: OpenLog
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
export async function runLatency({ openLog, instancesPerSecond, seconds, warmUp }: LatencyOptions): Promise<Latency> {
  return withEngine(openLog, await workflowFile('order'), async (engine) => {
    const { log, worker } = engine
    const responder = new Responder(log)
    await runThroughput(engine, { openLog, instances: 0, warmUp }, order)
    const ends = new Completions(log, await endsOf(log))
    try {
      const dueAtMs = new Map<string, number>()
      const count = Math.round(instancesPerSecond * seconds)
      const beganAtMs = performance.now()
      const produced: Promise<void>[] = []
      for (let index = 0; index < count; index++) {
        const due = beganAtMs + (index * 1_000) / instancesPerSecond
        const waitMs = due - performance.now()
        if (waitMs > 0) await pause(waitMs)
        dueAtMs.set(`o-${index}`, due)
        produced.push(produceAll(log, [order(`o-${index}`)]))
      }
      await Promise.race([Promise.all(produced), responder.failure])
      await Promise.race([untilCompleted(worker, warmUp + count), responder.failure])
      // The reader of the changelog may be a moment behind the worker, who has committed it.
      while (!ends.haveAll(dueAtMs.keys())) await pause(lookAgainMs)
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

/** The smallest value that so large a part of the sorted ones does not exceed. */
export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN
}

async function endsOf(log: Log): Promise<readonly number[]> {
  const { changelog } = topicsOf(app)
  const offsets = Array.from({ length: partitions }, (_, partition) => log.offsets(changelog, partition))
  return (await Promise.all(offsets)).map(({ committedEnd }) => committedEnd)
}

/** When instances completed, as anyone can see it who reads the changelog: after the commit. */
class Completions {
  readonly #readers: readonly Reader[]
  readonly #atMs = new Map<string, number>()

  /** @param from the next offset of each partition of the changelog */
  constructor(log: Log, from: readonly number[]) {
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
