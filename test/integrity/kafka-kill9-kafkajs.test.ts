// The short form of `npm run torture -- kafka`, by the other client.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kafkaCampaign } from './kafka.ts'

test('on Kafka by kafkajs orders outlive kill -9, joins and leaves, and restarts of the broker', async () => {
  const load = { workers: 2, orders: 200, kills: 3, restarts: 2, zombies: 0, rebalances: 1 }
  const { violations, coverage } = await kafkaCampaign({ ...load, client: 'kafkajs' })
  assert.deepEqual(violations, [])
  assert.deepEqual(
    ['kills', 'brokerRestarts', 'joinsAndLeaves', 'forwarded', 'storesCompared'].map((what) => coverage[what]! > 0),
    [true, true, true, true, true],
  )
  assert.equal(coverage['engineFaults'], 0)
  assert.equal(coverage['alarms'], 0)
})
