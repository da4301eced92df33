// Instances of workflows are counted where they are: what other workers counted is added to what this one did.
import type { FastifyRequest } from 'fastify'
import { limits } from '../base/limits.ts'
import type { Counted, InstanceCount, WorkerFace } from '../runtime/face.ts'
import { askPeers, isPassedOn } from './fleet.ts'

/** What is counted for a version: a view of it in an answer. */
interface CountedVersion {
  readonly version: string
  readonly instances: InstanceCount
  readonly instancesInAll?: InstanceCount
}

interface Answer {
  readonly counted: Counted
}

/**
 * The answer of this worker with what the others counted. A partition that none of them runs is missing in it, which
 * `counted` tells. @param versionsOf where the counts stand in an answer
 */
export async function countEverywhere<Given extends Answer>(
  counting: Promise<Given>,
  versionsOf: (answer: Given) => readonly CountedVersion[],
  request: FastifyRequest,
  worker: WorkerFace,
): Promise<Given> {
  const own = await counting
  if (isPassedOn(request) || own.counted.partitions === worker.partitionsInAll) return own
  const answers = await askPeers(request, worker.fleet)
  const others = answers.map(({ body }) => body as Given)
  const whole = structuredClone(own)
  for (const version of versionsOf(whole)) {
    const same = others.flatMap((other) => versionsOf(other).filter((each) => each.version === version.version))
    const inAll = same.flatMap(({ instancesInAll }) => instancesInAll ?? [])
    const instances = sum([version.instances, ...same.map((each) => each.instances)])
    const instancesInAll = version.instancesInAll && sum([version.instancesInAll, ...inAll])
    Object.assign(version, { instances, ...(instancesInAll === undefined ? {} : { instancesInAll }) })
  }
  const all = [own, ...others].map(({ counted }) => counted)
  const partitions = all.reduce((total, each) => total + each.partitions, 0)
  return {
    ...whole,
    counted: {
      // A bound that one came to, or a partition that is counted by none, or while it moves by two.
      isComplete:
        partitions === worker.partitionsInAll && all.every(({ instances }) => instances < limits.instancesCountedMax),
      instances: all.reduce((total, each) => total + each.instances, 0),
      partitions: Math.min(partitions, worker.partitionsInAll),
      partitionsInAll: worker.partitionsInAll,
    },
  }
}

const sum = (counts: readonly InstanceCount[]): InstanceCount => ({
  open: counts.reduce((total, { open }) => total + open, 0),
  kept: counts.reduce((total, { kept }) => total + kept, 0),
})
