// The partitions that run in this worker, for who asks.
import { Unavailable } from './face.ts'
import type { PartitionHost } from './host.ts'
import type { Partition } from './partition.ts'
import type { Reading } from './reading.ts'

/** @throws {Unavailable} It does not run here now. */
export function expectRunning(hosts: readonly PartitionHost[], number: number): Partition {
  const running = hosts[number]?.running
  if (running !== undefined) return running
  const reason = hosts[number]?.reason
  throw new Unavailable(
    'not-ready',
    `partition ${number} is not running here${reason === undefined ? ' yet' : `: ${reason}`}`,
    number,
  )
}

/** Those that run here, with what is read of each. */
export function runningHere(
  hosts: readonly PartitionHost[],
): readonly { readonly partition: number; readonly reading: Reading }[] {
  return hosts.flatMap(({ running }, partition) =>
    running === undefined ? [] : [{ partition, reading: running.reading }],
  )
}
