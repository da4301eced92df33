// What `dagger-worker bench` asks for and is told: what the command line knows of benchmarks.

import type { KafkaClientName, KafkaSettings } from '../base/kafka-settings.ts'

export interface BenchRequest {
  /** With "host:port" of the brokers; absent: the embedded log in a temporary directory. */
  readonly kafka?: KafkaSettings & { readonly brokers: readonly string[]; readonly client: KafkaClientName }
  /** Of each topic. */
  readonly partitions: number
  /** Of each throughput run. */
  readonly instances: number
  /** How long the latency is measured. */
  readonly seconds: number
  /** Aborted: what is under way ends, and cleans up. */
  readonly signal: AbortSignal
  readonly onProgress: (line: string) => void
}

export interface BenchReport {
  readonly log: 'embedded' | 'kafka'
  readonly partitions: number
  readonly instances: number
  /** Each is the median of its runs. */
  readonly floorRecordsPerSecond: Runs
  readonly orderTasksPerSecond: Runs
  /** Records in per second of the order workload over those of the floor, of neighbouring runs. */
  readonly orderAgainstFloor: Runs
  /** CPU time of the worker's main thread. */
  readonly orderCpuMicrosPerTask: Runs
  readonly latency: {
    readonly instancesPerSecond: number
    readonly seconds: number
    readonly p50Ms: number
    readonly p99Ms: number
  }
}

export interface Runs {
  readonly median: number
  readonly runs: readonly number[]
}

/** What a benchmark left behind on a cluster, by name, and why. */
export interface Leftovers {
  /** Begins the name of every topic that the benchmark made. */
  readonly prefix: string
  readonly topics: readonly { readonly name: string; readonly reason: string }[]
  /** Why it is not known what is left. */
  readonly unknown?: string
}

/** A benchmark; `leftovers` is undefined where nothing was left, and there whether it succeeded or not. */
export interface BenchOutcome {
  readonly leftovers?: Leftovers
  /** Absent: it failed, or was aborted. */
  readonly report?: BenchReport
  readonly error?: unknown
}

/** Runs a benchmark to its end; never rejects, since what is left behind is told in any case. */
export type Measure = (request: BenchRequest) => Promise<BenchOutcome>
