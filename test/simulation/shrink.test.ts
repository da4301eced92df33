import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, type Plan } from './plan.ts'
import { shrink } from './shrink.ts'

/** Two acts and one strike of the plan have to be in it for I3 to be violated; another invariant falls without them. */
function failsWith(original: Plan): (plan: Plan) => Promise<{ violations: string[]; result: undefined }> {
  const [first, last, strike] = [original.acts[0]!, original.acts.at(-1)!, original.strikes.at(-1)!]
  return async (plan) => {
    const isThere = plan.acts.includes(first) && plan.acts.includes(last) && plan.strikes.includes(strike)
    return { violations: isThere ? ['I3: as it was'] : ['I16: something else'], result: undefined }
  }
}

test('a failing plan is made as small as the same invariant allows', async () => {
  const original = planOf(5)
  const { plan, violations } = await shrink(original, failsWith(original))
  assert.deepEqual(violations, ['I3: as it was'])
  assert.deepEqual(plan.acts, [original.acts[0], original.acts.at(-1)])
  assert.deepEqual(plan.strikes, [original.strikes.at(-1)])
  assert.equal(plan.standbys, 0)
  assert.equal(plan.network.lostAnswer, 0)
})

test('a plan that violates nothing stays as it is', async () => {
  const original = planOf(5)
  const { plan, violations } = await shrink(original, async () => ({ violations: [], result: undefined }))
  assert.equal(plan, original)
  assert.deepEqual(violations, [])
})
