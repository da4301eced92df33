import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from './run.ts'

/** Every `stride`th point is tried here; `npm run simulate -- --crash-points` tries them all. */
const stride = 23

test('a worker that dies at any request, before or after it is carried out, leaves every invariant standing', async () => {
  let died = 0
  for (let point = 0; ; point += stride) {
    const { violations, world } = await simulate({ seed: 11, workers: 1, instances: 5, failAfterOperations: point })
    assert.deepEqual(violations, [], `dies at ${point}\n${violations.length > 0 ? world.scheduler.trace.story() : ''}`)
    if (!world.scheduler.failureWasReached) break
    died += 1
  }
  assert.ok(died > 10, `only ${died} points were reached`)
})
