// A short campaign as a test: the corpus in full, a few thousand inputs from a fixed seed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { targets } from './targets.ts'

/** Registers the test of one target. */
export function fuzzes(name: string, title: string, runs: number): void {
  test(title, async () => {
    const target = targets[name]
    assert.ok(target !== undefined, `${name} is a target`)
    const { violations, missing } = await target({ runs, seed: 1 })
    assert.deepEqual({ violations, missing }, { violations: [], missing: [] })
  })
}
