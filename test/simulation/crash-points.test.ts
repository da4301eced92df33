import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crashPoints } from './crash-points.ts'

test('a worker that dies at any request, and again while it recovers, leaves every invariant standing', async () => {
  // A stride that is a prime: the points of the programs differ. `npm run simulate -- --crash-points` takes all.
  const { violations, coverage, faults } = await crashPoints({ from: 1, programs: 6, stride: 23, onProgress: () => {} })
  assert.deepEqual(violations, [])
  assert.ok(coverage.points > 60, `only ${coverage.points} points were reached`)
  assert.ok(faults.crashInRecovery > coverage.points / 2, `only ${faults.crashInRecovery} recoveries were struck`)
})
