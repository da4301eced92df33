// That a campaign finds what it is for: planted targets that throw, pollute, loiter, hoard, or never do what they should.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fuzz } from './campaign.ts'
import type { FuzzResult } from './campaign.ts'
import type { Attack, Outcome, Target } from './target.ts'

interface Number extends Attack {
  readonly kind: 'number'
  readonly value: number
}

function target(run: (value: number) => Outcome, more: Partial<Target<Number>> = {}): Target<Number> {
  return {
    name: 'planted',
    corpus: [],
    arbitrary: fc.record({ kind: fc.constant('number' as const), value: fc.nat(1_000) }),
    inputsEach: 1,
    required: [],
    kinds: [],
    run: ({ value }) => run(value),
    ...more,
  }
}

const fine: Outcome = { classes: ['fine'] }
const campaign = (planted: Target<Number>, path?: string): Promise<FuzzResult> =>
  fuzz(planted, { runs: 500, seed: 1, ...(path === undefined ? {} : { path }) })

test('a target that keeps its promises has no violations, and its outcomes are counted', async () => {
  const { runs, violations, coverage, faults, missing } = await campaign(target(() => fine))
  assert.deepEqual([runs, violations, missing], [500, [], []])
  assert.deepEqual([coverage, faults], [{ fine: 500 }, { number: 500 }])
})

test('F1: what is thrown is a violation, shrunk, and found again by its seed and path', async () => {
  const planted = target((value) => {
    if (value >= 700) throw new TypeError('planted')
    return fine
  })
  const [violation] = (await campaign(planted)).violations
  assert.equal(violation?.input, '{"kind":"number","value":700}')
  const again = await fuzz(planted, { runs: 1, seed: violation?.seed ?? 0, path: violation?.path ?? '' })
  assert.equal(again.violations[0]?.input, violation?.input)
})

test('F1: what an outcome fails to verify is a violation', async () => {
  const planted = target(() => ({ classes: [], verify: () => assert.fail('planted') }))
  assert.ok((await campaign(planted)).violations.length > 0)
})

test('F1: an input of the corpus is told as it stands', async () => {
  const planted = target(
    (value) => {
      if (value === -1) throw new TypeError('planted')
      return fine
    },
    { corpus: [{ kind: 'number', value: -1 }] },
  )
  const { violations } = await campaign(planted)
  assert.deepEqual(
    violations.map(({ seed, input }) => [seed, input]),
    [[undefined, '{"kind":"number","value":-1}']],
  )
})

test('F2: a property that is added to what everything inherits is a violation of the input that added it', async () => {
  const planted = target((value) => {
    // oxlint-disable-next-line no-extend-native -- planted, and taken back
    if (value === 7) Object.defineProperty(Object.prototype, 'polluted', { value, configurable: true })
    return fine
  })
  try {
    const { violations } = await fuzz(
      { ...planted, arbitrary: fc.constant({ kind: 'number', value: 7 }) },
      { runs: 1, seed: 1 },
    )
    assert.equal(violations[0]?.input, '{"kind":"number","value":7}')
  } finally {
    Reflect.deleteProperty(Object.prototype, 'polluted')
  }
})

test('F2: a built-in that is replaced by another is a violation of its batch', async () => {
  const was = Array.prototype.at
  const planted = target(() => {
    // oxlint-disable-next-line no-extend-native -- planted, and taken back
    Object.defineProperty(Array.prototype, 'at', { value: () => undefined, writable: true, configurable: true })
    return fine
  })
  try {
    assert.ok((await fuzz(planted, { runs: 1, seed: 1 })).violations.length > 0)
  } finally {
    // oxlint-disable-next-line no-extend-native -- planted, and taken back
    Object.defineProperty(Array.prototype, 'at', { value: was, writable: true, configurable: true })
  }
})

test('F3: an input that is slow each time is a violation, one that was slow once is not', async () => {
  const corpus: readonly Number[] = [{ kind: 'number', value: 1 }]
  const slow = await fuzz(
    target(() => (loiter(), fine), { corpus }),
    { runs: 0, seed: 1 },
  )
  assert.equal(slow.violations.length, 1)
  let calls = 0
  const once = await fuzz(
    target(() => (calls++ === 0 && loiter(), fine), { corpus }),
    { runs: 0, seed: 1 },
  )
  assert.deepEqual(once.violations, [])
})

test('F3: an input that keeps too much memory each time is a violation', async () => {
  const kept: Uint8Array[] = []
  const hoard = target(() => (kept.push(new Uint8Array(80 * 1_048_576).fill(1)), fine), {
    corpus: [{ kind: 'number', value: 1 }],
  })
  assert.equal((await fuzz(hoard, { runs: 0, seed: 1 })).violations.length, 1)
})

test('F4: a campaign in which a required class or kind never occurred names it', async () => {
  const { missing } = await campaign(target(() => fine, { required: ['fine', 'never'], kinds: ['number', 'nobody'] }))
  assert.deepEqual(missing, ['never', 'nobody'])
})

/** Keeps this thread busy for longer than an input may. */
function loiter(): void {
  const from = process.threadCpuUsage()
  for (let used = 0; used < 80_000;) {
    const { user, system } = process.threadCpuUsage(from)
    used = user + system
  }
}
