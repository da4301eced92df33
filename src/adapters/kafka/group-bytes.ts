// What members of the group tell each other, in the consumer protocol's own form, so that Kafka's tools show who owns
// what. Ours travels as the user data in it: JSON, { v: 1, … }; a newer release adds fields and ignores what it does not
// know, so that two releases can be in one group.
import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
} from '@platformatic/kafka'
import type { Member, Share } from '../../runtime/placement.ts'

/** What a member says about itself, for the topic that stands for the application's partitions. */
export function encodeSubscription(topic: string, said: Omit<Member, 'id'>): Buffer {
  const userData = Buffer.from(JSON.stringify({ v: 1, ...said }))
  return encodeConsumerProtocolSubscription({ version: 0, topics: [topic], userData })
}

/** A member whose words cannot be read owns nothing, and gets its share; what an older release does not say is nothing. */
export function decodeSubscription(id: string, bytes: Buffer): Member {
  const said = saidIn(() => decodeConsumerProtocolSubscription(bytes).userData)
  const { owned, generation, standby, lacks, standbys } = said
  if (!isCounts(owned) || !isCount(generation))
    return { id, owned: [], standby: [], generation: 0, lacks: [], standbys: 0 }
  return {
    id,
    owned,
    standby: isCounts(standby) ? standby : [],
    generation,
    lacks: isCounts(lacks) ? lacks : [],
    standbys: isCount(standbys) ? standbys : 0,
  }
}

export function encodeAssignment(topic: string, { owned, ...copies }: Share): Buffer {
  const assignedPartitions = [{ topic, partitions: [...owned] }]
  const userData = Buffer.from(JSON.stringify({ v: 1, ...copies }))
  return encodeConsumerProtocolAssignment({ version: 0, assignedPartitions, userData })
}

/** The leader may be of an older release, which gives no copies. */
export function decodeAssignment(topic: string, bytes: Buffer): Share {
  const { assignedPartitions, userData } = decodeConsumerProtocolAssignment(bytes)
  const { standby, warming } = saidIn(() => userData)
  return {
    owned: assignedPartitions.find((one) => one.topic === topic)?.partitions ?? [],
    standby: isCounts(standby) ? standby : [],
    warming: isCounts(warming) ? warming : [],
  }
}

/** The fields of user data; none where it cannot be read. */
function saidIn(userData: () => Buffer | null | undefined): { readonly [field: string]: unknown } {
  try {
    const said: unknown = JSON.parse(String(userData()))
    return typeof said === 'object' && said !== null ? { ...said } : {}
  } catch {
    return {}
  }
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount)
