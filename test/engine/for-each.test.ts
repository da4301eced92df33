import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { engineWorld, workflowOf } from '../support/engine.ts'

/** A for-each over `input`, whose handler fails its item. */
const each = (...more: string[]): string =>
  workflowOf(
    [
      `- name: each`,
      `  type: for-each`,
      `  items: \${ input }`,
      ...more.map((line) => `  ${line}`),
      `  tasks:`,
      `    - { name: h, type: h, with: { n: "\${ item.n }", at: "\${ index }" }, retry: { maxAttempts: 1 }, onFailure: fail }`,
      `    - { name: twice, type: set, set: { last: "\${ tasks.h.output * 2 }" } }`,
    ],
    'output: ${ tasks.each.output }',
    'vars: { last: 0 }',
  )

const items = (count: number): { n: number }[] => Array.from({ length: count }, (_, n) => ({ n }))

suite('for-each', () => {
  test('runs its tasks once for each item, with `item` and `index` at hand; its output is the list of outputs in order', () => {
    const world = engineWorld(each('output: ${ tasks.h.output }'))
    world.start('w', 'k', items(3))
    world.grantAll()
    assert.deepEqual(
      world.runs.map(({ name, input }) => [name, input.value]),
      [0, 1, 2].map((n) => [`each[${n}].h`, { n, at: n }]),
    )
    for (const n of [2, 0, 1]) world.complete(`each[${n}].h`, 10 + n)
    assert.deepEqual(world.instance('k').output?.value, [10, 11, 12])
    assert.deepEqual(world.vars('k'), { last: 22 })
  })

  test('the output of an item is that of the last of its tasks, where it says none', () => {
    const world = engineWorld(
      workflowOf(
        ['- { name: each, type: for-each, items: [1, 2], tasks: [{ name: h, type: h }] }'],
        'output: ${ tasks.each.output }',
      ),
    )
    world.start('w', 'k')
    world.grantAll()
    world.complete('each[1].h', 'b')
    world.complete('each[0].h', 'a')
    assert.deepEqual(world.instance('k').output?.value, ['a', 'b'])
  })

  test('runs `concurrency` items at a time', () => {
    const world = engineWorld(each('concurrency: 2'))
    world.start('w', 'k', items(5))
    world.grantAll()
    assert.equal(world.runs.length, 2)
    world.complete('each[1].h', 1)
    world.grantAll()
    assert.deepEqual(
      world.runs.map(({ name }) => name),
      ['each[0].h', 'each[1].h', 'each[2].h'],
    )
    for (const n of [0, 2]) world.complete(`each[${n}].h`, 1)
    world.grantAll()
    for (const n of [3, 4]) world.complete(`each[${n}].h`, 1)
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('with `onItemFailure: fail` the first failure fails it, and the other items are stopped', () => {
    const world = engineWorld(each())
    world.start('w', 'k', items(3))
    world.grantAll()
    world.fail('each[1].h', 'broken')
    assert.equal(world.status('k'), 'FAILED')
    assert.equal(world.instance('k').error?.code, 'broken')
    assert.equal(world.stopped.length, 2)
  })

  test('with `onItemFailure: continue` the others run on, and its output has null for what failed', () => {
    const world = engineWorld(each('onItemFailure: continue', 'output: ${ tasks.h.output }'))
    world.start('w', 'k', items(3))
    world.grantAll()
    world.fail('each[1].h')
    world.complete('each[0].h', 1)
    world.complete('each[2].h', 3)
    assert.deepEqual(world.instance('k').output?.value, [1, null, 3])
  })

  test('an item whose `output` fails is FAILED, and `onItemFailure` and `join` decide as for any other', () => {
    const yaml = (more: string): string =>
      workflowOf(
        [
          `- { name: each, type: for-each, items: [1, 2, 3], output: "\${ tasks.h.output.n }"${more}, tasks: [{ name: h, type: h }] }`,
        ],
        'output: ${ tasks.each.output }',
      )
    for (const [more, output] of [
      [', onItemFailure: continue', [1, null, 3]],
      [', join: 2', [1, null, 3]],
    ] as const) {
      const world = engineWorld(yaml(more))
      world.start('w', 'k')
      world.grantAll()
      world.complete('each[1].h', 'no object')
      assert.equal(world.task('k', 'each')?.status, 'EXECUTING')
      world.complete('each[0].h', { n: 1 })
      world.complete('each[2].h', { n: 3 })
      assert.deepEqual(world.instance('k').output?.value, output, more)
    }
    const world = engineWorld(yaml(''))
    world.start('w', 'k')
    world.grantAll()
    world.complete('each[1].h', 'no object')
    assert.equal(world.task('k', 'each')?.error?.code, 'expression')
    assert.equal(world.stopped.length, 2)
  })

  test('with `join: any` the first success completes it', () => {
    const world = engineWorld(each('join: any'))
    world.start('w', 'k', items(3))
    world.grantAll()
    world.fail('each[1].h')
    world.complete('each[2].h', 1)
    assert.equal(world.status('k'), 'COMPLETED')
    assert.equal(world.stopped.length, 1)
  })

  test('an empty list is complete at once, and what is no list fails it', () => {
    const world = engineWorld(each())
    world.start('w', 'k', [])
    assert.deepEqual(world.instance('k').output?.value, [])
    world.start('w', 'l', 'text')
    assert.equal(world.task('l', 'each')?.error?.code, 'expression')
  })

  test('a for-each in a for-each sees its own item, and the tasks of the item around it', () => {
    const world = engineWorld(
      workflowOf(
        [
          '- name: outer',
          '  type: for-each',
          '  items: ${ input }',
          '  tasks:',
          '    - { name: h, type: h, with: "${ index }" }',
          '    - name: inner',
          '      type: for-each',
          '      items: ${ item }',
          '      output: ${ [tasks.h.output, item, index] }',
          '      tasks: [{ name: note, type: set, set: { seen: "${ item }" } }]',
        ],
        'output: ${ tasks.outer.output }',
        'vars: { seen: 0 }',
      ),
    )
    world.start('w', 'k', [[1, 2], [3]])
    world.grantAll()
    world.complete('outer[1].h', 'second')
    world.complete('outer[0].h', 'first')
    assert.deepEqual(world.instance('k').output?.value, [
      [
        ['first', 1, 0],
        ['first', 2, 1],
      ],
      [['second', 3, 0]],
    ])
  })

  test('ten thousand items run in steps that have an end, and leave nothing behind', () => {
    const world = engineWorld(
      workflowOf(
        [
          '- { name: each, type: for-each, items: "${ input }", tasks: [{ name: add, type: set, set: { sum: "${ vars.sum + item }" } }] }',
        ],
        'vars: { sum: 0 }',
        'retention: 0s',
        'output: ${ vars.sum }',
      ),
      1,
    )
    const numbers = Array.from({ length: 10_000 }, (_, n) => n)
    const before = world.events.length
    world.start('w', 'k', numbers)
    const inFirst = world.events.length - before
    assert.ok(inFirst < 2_000, `${inFirst} events in the first input`)
    world.checksInvariants = false
    world.advance('1s')
    const [completed] = world.eventsOf('instance.completed')
    assert.equal(completed?.output?.value, (9_999 * 10_000) / 2)
    assert.equal(world.stores[0]?.values.size, 0)
  })

  test('what an event of one item reads and writes does not grow with the number of items', () => {
    const [few, many] = [1_000, 10_000].map(costOfEvent)
    assert.ok(few !== undefined && many !== undefined && few.read > 0 && few.written > 0)
    for (const what of ['read', 'written'] as const)
      assert.ok(many[what] <= 1.1 * few[what], `${what}: ${few[what]} and ${many[what]} bytes`)
  })
})

/** Bytes of the values that the answer to one of so many waiting items has read and written. */
function costOfEvent(items: number): { readonly read: number; readonly written: number } {
  const item = `{ name: l, type: kafka-listener, topic: t, correlate: { message: message.key, instance: string(item) } }`
  const each = `{ name: each, type: for-each, items: "\${ input }", concurrency: 10000, tasks: [${item}] }`
  const world = engineWorld(workflowOf([`- ${each}`]), 1)
  world.checksInvariants = false
  world.start(
    'w',
    'k',
    Array.from({ length: items }, (_, index) => index),
  )
  world.advance('1s')
  assert.equal(world.waiterCount, items)
  const [store] = world.stores
  assert.ok(store !== undefined)
  const sizeOf = (key: string): number => store.values.get(key)?.length ?? 0
  store.asked.length = 0
  const before = new Map(store.values)
  world.record('t', 1, { key: String(items >> 1) })
  const asked = new Set(store.asked)
  assert.equal(world.waiterCount, items - 1)
  const read = [...asked].reduce((sum, key) => sum + (before.get(key)?.length ?? 0), 0)
  const changed = [...store.values.keys()].filter((key) => store.values.get(key) !== before.get(key))
  return { read, written: changed.reduce((sum, key) => sum + sizeOf(key), 0) }
}
