// What members of the group tell each other, in the consumer protocol's own form, so that Kafka's tools show who owns
// what. Ours travels as the user data in it: JSON, { v: 1, … }; a newer release adds fields and ignores what it does not
// know, so that two releases can be in one group.
import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
} from '@platformatic/kafka'
import type { Member } from './assignor.ts'

export function encodeSubscription(topic: string, owned: readonly number[], generation: number): Buffer {
  const userData = Buffer.from(JSON.stringify({ v: 1, owned, generation }))
  return encodeConsumerProtocolSubscription({ version: 0, topics: [topic], userData })
}

/** A member whose words cannot be read owns nothing, and gets its share. */
export function decodeSubscription(id: string, bytes: Buffer): Member {
  try {
    const said: unknown = JSON.parse(decodeConsumerProtocolSubscription(bytes).userData.toString())
    if (typeof said === 'object' && said !== null && 'owned' in said && 'generation' in said) {
      const { owned, generation } = said
      if (Array.isArray(owned) && owned.every(isCount) && isCount(generation)) return { id, owned, generation }
    }
  } catch {
    // As below.
  }
  return { id, owned: [], generation: 0 }
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

export function encodeAssignment(topic: string, partitions: readonly number[]): Buffer {
  const assignedPartitions = [{ topic, partitions: [...partitions] }]
  return encodeConsumerProtocolAssignment({ version: 0, assignedPartitions, userData: null })
}

export function decodeAssignment(topic: string, bytes: Buffer): readonly number[] {
  const { assignedPartitions } = decodeConsumerProtocolAssignment(bytes)
  return assignedPartitions.find((one) => one.topic === topic)?.partitions ?? []
}
