import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../src/adapters/kafka/group-bytes.ts'
import { encodeConsumerProtocolAssignment, encodeConsumerProtocolSubscription } from '@platformatic/kafka'

const topic = 'app.inbox'
const nothing = { owned: [], standby: [], generation: 0, lacks: [], standbys: 0 }

test('what a member says is understood, and what cannot be read is a member that owns nothing', () => {
  const said = { owned: [3, 5], standby: [4], generation: 8, lacks: [0, 70_000], standbys: 1 }
  assert.deepEqual(decodeSubscription('m', encodeSubscription(topic, said)), { id: 'm', ...said })
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('nonsense'),
    encodeSubscription(topic, { ...said, owned: [-1, 0.5] }),
  ]) {
    assert.deepEqual(decodeSubscription('m', bytes), { id: 'm', ...nothing })
  }
})

test('a member of 0.2 says nothing of copies', () => {
  const userData = Buffer.from(JSON.stringify({ v: 1, owned: [1], generation: 2 }))
  const bytes = encodeConsumerProtocolSubscription({ version: 0, topics: [topic], userData })
  assert.deepEqual(decodeSubscription('m', bytes), { id: 'm', ...nothing, owned: [1], generation: 2 })
})

test('an assignment is read by Kafka as the partitions owned, and carries the copies; a leader of 0.2 gives none', () => {
  const share = { owned: [1, 2], standby: [3, 4], warming: [4] }
  assert.deepEqual(decodeAssignment(topic, encodeAssignment(topic, share)), share)
  const assignedPartitions = [{ topic, partitions: [1, 2] }]
  const old = encodeConsumerProtocolAssignment({ version: 0, assignedPartitions, userData: null })
  assert.deepEqual(decodeAssignment(topic, old), { owned: [1, 2], standby: [], warming: [] })
})
