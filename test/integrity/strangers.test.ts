// The short form of what `npm run torture -- store` ends with.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { strangersCampaign } from './strangers.ts'

test('a directory of somebody else is refused and left alone; a store that is too old brings nothing back', async () => {
  const { violations, coverage } = await strangersCampaign({ rounds: 60, seed: 7 })
  assert.deepEqual(violations, [])
  assert.ok((coverage['removalMissed'] ?? 0) > 0, 'stores missed tombstones that the changelog had forgotten')
  assert.ok((coverage['oldStoreCaughtUp'] ?? 0) > 0, 'stores that were young enough went on from where they were')
  assert.equal(coverage['changelogRefused'], 2)
})
