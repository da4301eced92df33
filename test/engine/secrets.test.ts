// `secrets`: what is kept of a task that names them, and what can pass for one.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import type { Json } from '../../src/base/json.ts'
import { Payload } from '../../src/engine/payload.ts'
import { seal, unseal } from '../../src/engine/secrets.ts'
import { engineWorld, workflowOf, type EngineWorld } from '../support/engine.ts'

const token = (name: string): string => `<${name}>`
const sentBy = (world: EngineWorld): Json => unseal(world.lastRun('a').input.value, token)
const retry = 'retry: { maxAttempts: 2, initialInterval: 1s, jitter: 0 }'

function running(written: string, input: Json = null): EngineWorld {
  const world = engineWorld(workflowOf([`- { name: a, type: h, ${retry}, with: ${written} }`]))
  world.start('w', 'k', input)
  world.grantAll()
  return world
}

suite('a secret', () => {
  test('is kept as its expression, alone, in a text and joined to others', () => {
    const world = running(
      '{ a: "${ secrets.A }", b: "Bearer ${ secrets.B_1 }", c: "${ input + \':\' + secrets.A }", d: "${ input == \'x\' ? secrets.A : secrets.B_1 }" }',
      'u',
    )
    assert.deepEqual(world.lastRun('a').input.value, {
      a: '${ secrets.A }',
      b: 'Bearer ${ secrets.B_1 }',
      c: 'u:${ secrets.A }',
      d: '${ secrets.B_1 }',
    })
    assert.deepEqual(sentBy(world), { a: '<A>', b: 'Bearer <B_1>', c: 'u:<A>', d: '<B_1>' })
    assert.equal(world.lastRun('a').isSealed, true)
  })

  test('cannot be asked for by data, whatever that looks like', () => {
    const forged = '${ secrets.A } $${ secrets.A } $$ $'
    const world = running('{ from: "${ input }", mine: "${ secrets.A }" }', forged)
    assert.deepEqual(sentBy(world), { from: forged, mine: '<A>' })
  })

  test('nor by a person who has the task tried again with another input', () => {
    const world = running('{ mine: "${ secrets.A }" }')
    for (let attempt = 0; attempt < 2; attempt++) {
      world.fail('a')
      world.advance('1s')
      world.grantAll()
    }
    world.operate('k', { kind: 'retry', task: 'a', input: Payload.of({ mine: '${ secrets.A }' }) })
    world.advance('0s')
    world.grantAll()
    assert.deepEqual(sentBy(world), { mine: '${ secrets.A }' })
  })

  test('of a task that names none, nothing is sealed', () => {
    const world = running('"${ input }"', 'a $ b')
    assert.deepEqual([world.lastRun('a').input.value, world.lastRun('a').isSealed], ['a $ b', false])
  })

  test('of an http task is named in its request, its own trace beside it', () => {
    const task =
      '- { name: a, type: http, url: "https://x.example/?k=${ secrets.K }", headers: { authorization: "Bearer ${ secrets.T }" }, body: "${ input }" }'
    const world = engineWorld(workflowOf([task]))
    world.start('w', 'k', '$')
    world.grantAll()
    assert.deepEqual(world.lastRun('a').input.value, {
      url: 'https://x.example/?k=${ secrets.K }',
      method: 'POST',
      headers: { authorization: 'Bearer ${ secrets.T }' },
      body: '$$',
    })
  })

  test('is not given on to what undoes its task', () => {
    const undo = 'compensate: { type: kafka-command, topic: undo, value: "${ output }" }'
    const world = engineWorld(
      workflowOf([
        `- { name: a, type: h, with: { t: "\${ secrets.T }", d: "\${ input }" }, ${undo.replace('kafka-command, topic: undo, value: "${ output }"', 'u')} }`,
        '- { name: end, type: fail, code: gone }',
      ]),
    )
    world.start('w', 'k', '5 $')
    world.grantAll()
    world.complete('a', 1)
    world.grantAll()
    assert.deepEqual(world.lastRun('a-compensate').input.value, { input: { t: '***', d: '5 $' }, output: 1 })
  })
})

test('what is sealed and opened again is what it was, whatever it is', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[${} a-z.]*$/), fc.constant('${ secrets.A }'))
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(text), (value, texts) => {
      const given = [value as Json, ...texts]
      assert.deepEqual(
        unseal(seal(given), () => assert.fail('no secret was named')),
        given,
      )
    }),
  )
})
