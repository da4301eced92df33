// The short form of `npm run torture -- torn`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tornCampaign } from './torn.ts'

test('a file that is cut off opens with what lies before the cut, or is refused where more was acknowledged', async () => {
  const { violations, coverage } = await tornCampaign({ everyBytes: 397, seed: 11 })
  assert.deepEqual(violations, [])
  for (const [what, count] of Object.entries(coverage)) {
    if (what !== 'atBorder') assert.ok(count > 0, `nothing was ${what}`)
  }
})
