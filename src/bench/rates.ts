// One run of a throughput workload, as the figures that come of it.
import { runFloor } from './floor.ts'
import { orderRecordsIn, orderTasks } from './order.ts'
import type { Ground } from './site.ts'
import { runOrder, type Throughput } from './throughput.ts'

export interface Load {
  readonly instances: number
  /** Instances run before, unmeasured. */
  readonly warmUp: number
}

export interface Rate {
  readonly tasksPerSecond: number
  /** Of the main thread, each task. */
  readonly cpuMicros: number
}

/** Records/s that the log allows, fed as much as `order` is with so many instances. */
export async function floorRate(ground: Ground, { instances, warmUp }: Load): Promise<number> {
  const load = { records: instances * orderRecordsIn, warmUpRecords: warmUp * orderRecordsIn }
  const { records, seconds } = await runFloor({ ground, ...load })
  return records / seconds
}

export async function orderRate(ground: Ground, load: Load): Promise<Rate> {
  return rateOf(await runOrder({ ground, ...load }), orderTasks)
}

/** @param tasks of one instance */
export function rateOf({ completed, seconds, cpuSeconds }: Throughput, tasks: number): Rate {
  return {
    tasksPerSecond: (tasks * completed) / seconds,
    cpuMicros: (1_000_000 * cpuSeconds) / (tasks * completed),
  }
}

/** What of the floor `order` reaches: records in per second, one over the other. */
export const againstFloor = (tasksPerSecond: number, floorRecordsPerSecond: number): number =>
  ((tasksPerSecond / orderTasks) * orderRecordsIn) / floorRecordsPerSecond
