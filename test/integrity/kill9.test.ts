// The short form of `node test/integrity/kill9.ts`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killCampaign } from './kill9.ts'

test('orders outlive kill -9: all complete, each command once, everything acknowledged is there', async () => {
  const { faults, violations, coverage } = await killCampaign({ orders: 300, kills: 4 })
  assert.deepEqual(violations, [])
  assert.equal(faults, 4)
  assert.ok((coverage['callsCutShort'] ?? 0) > 0, 'the kills met calls under way')
  assert.equal(coverage['engineFaults'], 0)
})
