// The short form of `node test/integrity/kafka-kill9.ts`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kafkaKillCampaign } from './kafka-kill9.ts'

test('on Kafka orders outlive kill -9 and a restart of the broker: each command once, stores as the changelog says', async () => {
  const { faults, violations, coverage } = await kafkaKillCampaign({ orders: 200, kills: 3, restarts: 1 })
  assert.deepEqual(violations, [])
  assert.equal(faults, 4)
  // What makes the rest mean something.
  assert.ok((coverage['forwarded'] ?? 0) > 0, 'commands went from partition to partition')
  assert.ok((coverage['storesCompared'] ?? 0) > 6, 'stores were compared as they were when their worker was killed')
  assert.equal(coverage['engineFaults'], 0)
  assert.equal(coverage['alarms'], 0)
})
