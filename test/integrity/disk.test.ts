// The short form of `npm run torture -- disk`: nothing in it takes the right to mount.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startsOnBadDisks } from './disk-starts.ts'
import { faultsUnderLoad } from './disk.ts'

test('a daemon outlives a disk that is full, fails or is away: it says so, goes on by itself, loses and doubles nothing', async () => {
  const { faults, violations } = await faultsUnderLoad({ rounds: 1 })
  assert.deepEqual(violations, [])
  assert.ok(faults >= 8)
})

test('where its data cannot be read, written or had, a daemon refuses with a code and touches nothing', async () => {
  const { violations } = await startsOnBadDisks(undefined, () => {})
  assert.deepEqual(violations, [])
})
