// The short form of `npm run torture -- kafka`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kafkaCampaign } from './kafka.ts'

test('on Kafka orders outlive kill -9, zombies, joins and leaves, and restarts of the broker: each command once, stores as the changelog says', async () => {
  const { violations, coverage } = await kafkaCampaign({
    workers: 3,
    orders: 600,
    kills: 4,
    restarts: 2,
    zombies: 1,
    rebalances: 4,
  })
  assert.deepEqual(violations, [])
  assert.deepEqual(
    ['kills', 'brokerRestarts', 'zombies', 'joinsAndLeaves'].map((what) => coverage[what]! > 0),
    [true, true, true, true],
  )
  // What makes the rest mean something.
  assert.ok((coverage['forwarded'] ?? 0) > 0, 'commands went from partition to partition')
  assert.ok((coverage['storesCompared'] ?? 0) > 24, 'stores were compared as they were when their worker was killed')
  assert.equal(coverage['engineFaults'], 0)
  assert.equal(coverage['alarms'], 0)
})
