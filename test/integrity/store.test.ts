// The short form of `npm run torture -- store`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storeCampaign } from './store.ts'

test('damaged files are refused, or hold what was written: no key is missing, older or wrong', async () => {
  const { violations, coverage } = await storeCampaign({ flips: 320, seed: 11 })
  assert.deepEqual(violations, [])
  for (const [what, count] of Object.entries(coverage)) assert.ok(count > 0, `nothing was ${what}`)
})
