// The planted bugs as texts: each stands where it says. That the simulation finds them is campaign-planted.test.ts.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { test } from 'node:test'
import { readFound, tableOf } from './planted/found.ts'
import { plantInto } from './planted/plant.ts'
import { expectPlant, plants } from './planted/plants.ts'

const sourceOf = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')

test('every planted bug replaces text that stands exactly once in its file, and leaves code that can be read (F1)', () => {
  for (const plant of plants) {
    const source = sourceOf(plant.file)
    const planted = plantInto(source, plant)
    assert.notEqual(planted, source, plant.name)
    assert.doesNotThrow(() => stripTypeScriptTypes(planted), plant.name)
  }
})

test('a bug whose text has moved is told, not left out', () => {
  const moved = { name: 'moved', trap: '', file: 'a.ts', find: 'text', replace: 'other' }
  assert.throws(() => plantInto('no such thing', moved), /F1/)
  assert.throws(() => plantInto('text and text', moved), /F1/)
  assert.equal(plantInto('a text', moved), 'a other')
  assert.throws(() => expectPlant('moved'))
})

test('every planted bug has a name of its own', () => {
  assert.equal(new Set(plants.map(({ name }) => name)).size, plants.length)
})

test('the table tells of every planted bug, and is what was found', async () => {
  const found = await readFound()
  assert.deepEqual(
    [...found.keys()],
    plants.map(({ name }) => name),
  )
  assert.equal(sourceOf('test/simulation/planted/README.md'), tableOf(found))
})
