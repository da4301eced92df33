// The short form of `npm run torture -- kill9`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killCampaign } from './kill9.ts'

test('orders outlive kill -9: all complete, each command once, everything acknowledged is there', async () => {
  // One in each manner: running, then its successor starting, stopping, frozen.
  const { faults, violations, coverage } = await killCampaign({ orders: 300, kills: 5 })
  assert.deepEqual(violations, [])
  // A graceful stop that came to its end before the kill is none.
  assert.equal(faults + (coverage['stopped'] ?? 0), 5)
  assert.ok((coverage['callsCutShort'] ?? 0) > 0, 'the kills met calls under way')
  assert.equal(coverage['engineFaults'], 0)
})
