import assert from 'node:assert/strict'
import { test } from 'node:test'
import { campaign } from './campaign.ts'
import { planOf } from './plan.ts'
import { simulate } from './run.ts'

test('workers under crashes, pauses, expulsions, lost answers and late requests keep every invariant', async () => {
  const { violations, missing } = await campaign({ from: 1, seeds: 150, onProgress: () => {} })
  assert.deepEqual(violations, [])
  // I20: a campaign in which something never occurred proves nothing about it.
  assert.deepEqual(missing, [])
})

test('the same seed gives the same trace, byte for byte', async () => {
  const first = await simulate(planOf(42))
  const second = await simulate(planOf(42))
  assert.equal(first.traceHash, second.traceHash)
  assert.equal(first.steps, second.steps)
})
