// What the copies of this worker lack: by that the group tells who is near.
import type { PartitionHost } from './host.ts'
import type { Log } from './ports.ts'

/** By partition, how many records of the changelog its copy in this worker lacks. @throws {TransientFault} */
export async function lacksOf(
  hosts: readonly PartitionHost[],
  log: Log,
  changelog: string,
): Promise<readonly number[]> {
  const info = (await log.describeTopics([changelog])).get(changelog)
  return info === undefined ? [] : Promise.all(hosts.map((host) => host.lacks(info)))
}
