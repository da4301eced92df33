// The short form of planted/main.ts: each bug is planted once more, and caught at the seed that the table names.
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { suite, test } from 'node:test'
import { isEnough, readFound } from './planted/found.ts'
import { hunt } from './planted/hunt.ts'

const found = await readFound()
const caught = [...found].flatMap(([name, each]) => (each === undefined ? [] : [{ name, seed: each.seed }]))

test('nearly all planted bugs are found', () => {
  assert.ok(isEnough(found))
})

test('the seeds that find them have no violation where nothing is planted', async () => {
  const seeds = new Set(caught.map(({ seed }) => String(seed)))
  assert.equal(await hunt({ plant: undefined, seeds: [...seeds] }), undefined)
})

// Each is a process of its own.
suite('the simulation finds', { concurrency: availableParallelism() }, () => {
  for (const { name, seed } of caught) {
    test(`${name} at seed ${seed}`, async () => {
      assert.ok((await hunt({ plant: name, seeds: [String(seed)] })) !== undefined)
    })
  }
})
