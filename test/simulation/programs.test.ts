import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadWorkflows } from '../../src/definition/parse.ts'
import { drawPrograms } from './programs.ts'
import { createRandom } from './random.ts'
import { compileRelease, handlers } from './programs/compile.ts'
import { featuresOf, knownFeatures } from './programs/features.ts'

const programsOf = (seed: number) => drawPrograms(createRandom(seed))

test('every drawn workflow compiles, whatever the seed', () => {
  for (let seed = 1; seed <= 2_000; seed++)
    for (const release of programsOf(seed).releases) assert.equal(compileRelease(release).size, release.length)
})

test('drawn workflows are valid as files too', () => {
  for (let seed = 1; seed <= 60; seed++) {
    for (const release of programsOf(seed).releases) {
      const { problems } = loadWorkflows([{ file: 'drawn.yaml', text: release.join('\n---\n') }], { handlers })
      assert.deepEqual(problems, [], release.join('\n---\n'))
    }
  }
})

test('drawn workflows use every task type and key of the schema', () => {
  const used = new Set<string>()
  for (let seed = 1; seed <= 1_000; seed++)
    for (const text of programsOf(seed).releases.flat())
      if (text.startsWith('{')) for (const feature of featuresOf(JSON.parse(text))) used.add(feature)
  assert.deepEqual(
    knownFeatures().filter((feature) => !used.has(feature)),
    [],
  )
})

test('the same seed draws the same programs', () => {
  assert.deepEqual(programsOf(7), programsOf(7))
})
