// Search attributes: when they are evaluated, what they are, and that one which fails harms nothing.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Payload } from '../../src/engine/payload.ts'
import { prefixes } from '../../src/records/keys.ts'
import { EngineWorld } from '../support/engine.ts'

const workflow = (attributes: string, tasks = '- { name: wait, type: signal, signal: go }') => `
workflow: w
retention: 1h
vars: { carrier: none, weight: 1 }
attributes: ${attributes}
tasks:
  ${tasks}
`

function stage(text: string) {
  const world = new EngineWorld(1)
  world.publish(text)
  const attributes = () => Object.fromEntries(world.instance('k').attributes)
  const rows = () => world.stores.flatMap((store) => store.keys(prefixes.attributes))
  const sets = () => world.events.filter(({ type }) => type === 'attributes.set').length
  return { world, attributes, rows, sets }
}

suite('search attributes', () => {
  test('are evaluated when the instance starts, each with a row that finds it', () => {
    const { world, attributes, rows } = stage(
      workflow("{ customer: input.customer, amount: input.amount, isLarge: 'input.amount > 10', key: 'instance.key' }"),
    )
    world.start('w', 'k', { customer: 'c/17 é', amount: 12.5 })
    assert.deepEqual(attributes(), { customer: 'c/17 é', amount: 12.5, isLarge: true, key: 'k' })
    const { id } = world.instance('k')
    assert.deepEqual(rows(), [
      `amount/12.5/${id}`,
      `customer/c%2F17%20%C3%A9/${id}`,
      `isLarge/true/${id}`,
      `key/k/${id}`,
    ])
  })

  test('follow vars, once an input, and nothing is written where they stay', () => {
    const { world, attributes, rows, sets } = stage(
      workflow('{ carrier: vars.carrier, weight: vars.weight, id: input }'),
    )
    world.start('w', 'k', 'i')
    assert.equal(sets(), 1)
    world.operate('k', { kind: 'set', values: [['carrier', 'ups']] })
    assert.deepEqual(attributes(), { carrier: 'ups', weight: 1, id: 'i' })
    assert.deepEqual(
      rows().map((row) => row.replace(/\/[^/]*$/, '')),
      ['carrier/ups', 'id/i', 'weight/1'],
    )
    assert.equal(sets(), 2)
    world.operate('k', { kind: 'set', values: [['carrier', 'ups']] })
    assert.equal(sets(), 2)
  })

  test('follow tasks, and the end of the instance changes nothing', () => {
    const { world, attributes } = stage(workflow('{ by: tasks.wait.output.by, state: tasks.wait.status }'))
    world.start('w', 'k')
    assert.deepEqual(attributes(), { state: 'EXECUTING' })
    world.operate('k', { kind: 'complete', task: 'wait', output: Payload.of({ by: 'ann' }) })
    assert.equal(world.instance('k').status, 'COMPLETED')
    assert.deepEqual(attributes(), { by: 'ann', state: 'COMPLETED' })
  })

  test('that fail, or are no short plain value, are absent and harm nothing', () => {
    const { world, attributes } = stage(
      workflow("{ a: input.none, b: input, c: 'null', d: input.long, e: '[1]', f: input.fits, g: \"string(1 / 0)\" }"),
    )
    world.start('w', 'k', { long: 'é'.repeat(129), fits: 'é'.repeat(128) })
    assert.equal(world.instance('k').status, 'EXECUTING')
    assert.deepEqual(attributes(), { f: 'é'.repeat(128) })
  })

  test('that fail after a change are absent from then on', () => {
    const { world, attributes, rows } = stage(workflow("{ first: 'vars.weight[0]' }"))
    world.start('w', 'k')
    world.operate('k', { kind: 'set', values: [['weight', ['x']]] })
    assert.deepEqual(attributes(), { first: 'x' })
    world.operate('k', { kind: 'set', values: [['weight', []]] })
    assert.deepEqual([attributes(), rows()], [{}, []])
  })

  test('are kept as long as the instance, and go with it', () => {
    const { world, rows } = stage(workflow('{ id: input }'))
    world.start('w', 'k', 'i')
    world.operate('k', { kind: 'stop', reason: 'no' })
    assert.equal(rows().length, 1)
    world.advance('1h')
    assert.deepEqual(rows(), [])
  })

  test('cost a workflow without them nothing', () => {
    const { world, rows, sets } = stage(workflow('{ }'))
    world.start('w', 'k', 'i')
    world.operate('k', { kind: 'set', values: [['carrier', 'ups']] })
    assert.deepEqual([rows(), sets()], [[], 0])
  })
})
