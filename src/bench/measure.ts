// The benchmark of `dagger-worker bench`: floor and order in turns, so that both see the same noise, then the latency.
import { tmpdir } from 'node:os'
import { kafkaClient } from '../adapters/clients.ts'
import { kafkaCredentials } from '../adapters/system/kafka-credentials.ts'
import { embeddedGround, kafkaGround, type KafkaGround } from './ground.ts'
import { runLatency } from './latency.ts'
import { againstFloor, floorRate, orderRate } from './rates.ts'
import type { BenchOutcome, BenchReport, BenchRequest, Leftovers, Runs } from './report.ts'
import type { Ground } from './site.ts'
import { median } from './statistics.ts'

const runs = 3
const latencyInstancesPerSecond = 50
/** Before each run, and before all of them: V8, and a broker's JVM, have compiled by then what is hot. */
const warmUpMax = 3_000

/** Runs a benchmark on the embedded log or on a cluster; see `Measure`. */
export async function measure(request: BenchRequest): Promise<BenchOutcome> {
  const { kafka, onProgress } = request
  if (kafka === undefined) {
    onProgress(`on the embedded log, in a directory of its own below ${tmpdir()} (TMPDIR names another one)`)
    return outcomeOf(embeddedGround(request), request)
  }
  const { brokers } = kafka
  const secured = kafkaCredentials(kafka, process.env)
  const client = await kafkaClient(kafka.client)
  const ground = kafkaGround({ client, brokers, clientId: 'dagger-worker-bench', ...secured }, request)
  onProgress(`on Kafka at ${brokers.join(', ')}, in topics that begin with ${ground.prefix} and are removed afterwards`)
  const outcome = await outcomeOf(ground, request)
  const leftovers = await leftoversOf(ground)
  return leftovers === undefined ? outcome : { ...outcome, leftovers }
}

async function outcomeOf(ground: Ground, request: BenchRequest): Promise<BenchOutcome> {
  try {
    return { report: await measureOn(ground, request) }
  } catch (error) {
    return { error }
  }
}

async function leftoversOf(ground: KafkaGround): Promise<Leftovers | undefined> {
  const { prefix } = ground
  try {
    const topics = await ground.clearAll()
    return topics.length === 0 ? undefined : { prefix, topics }
  } catch (error) {
    return { prefix, topics: [], unknown: error instanceof Error ? error.message : String(error) }
  }
}

async function measureOn(ground: Ground, request: BenchRequest): Promise<BenchReport> {
  const { kafka, partitions, instances, seconds, onProgress } = request
  const load = { instances, warmUp: Math.min(instances, warmUpMax) }
  const floors: number[] = []
  const orders: number[] = []
  const cpu: number[] = []
  onProgress('warming up')
  await floorRate(ground, { instances: load.warmUp, warmUp: 0 })
  await orderRate(ground, { instances: load.warmUp, warmUp: 0 })
  for (let run = 1; run <= runs; run++) {
    const floor = await floorRate(ground, load)
    floors.push(floor)
    onProgress(`floor, run ${run} of ${runs}: ${whole(floor)} records/s`)
    const { tasksPerSecond, cpuMicros } = await orderRate(ground, load)
    orders.push(tasksPerSecond)
    cpu.push(cpuMicros)
    onProgress(`order, run ${run} of ${runs}: ${whole(tasksPerSecond)} tasks/s`)
  }
  onProgress(`latency: ${latencyInstancesPerSecond} instances a second for ${seconds} s`)
  const pace = { instancesPerSecond: latencyInstancesPerSecond, seconds }
  const { p50Ms, p99Ms } = await runLatency({ ground, ...pace, warmUp: load.warmUp })
  return {
    log: kafka === undefined ? 'embedded' : 'kafka',
    partitions,
    instances,
    floorRecordsPerSecond: ofRuns(floors),
    orderTasksPerSecond: ofRuns(orders),
    orderAgainstFloor: ofRuns(orders.map((tasks, at) => againstFloor(tasks, floors[at] ?? Number.NaN))),
    orderCpuMicrosPerTask: ofRuns(cpu),
    latency: { ...pace, p50Ms, p99Ms },
  }
}

const ofRuns = (values: readonly number[]): Runs => ({ median: median(values), runs: values })
const whole = (value: number): string => Math.round(value).toLocaleString('en')
