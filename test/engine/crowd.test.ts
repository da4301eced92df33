// Many who wait for one value: in the order in which they wait, at a cost that does not grow with them. That the rows of a
// crowd are linked (C7) is checked after every input (engine-invariants.ts).
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../src/base/limits.ts'
import { apply } from '../../src/engine/apply.ts'
import { waitersOf, waitingIn } from '../../src/engine/crowd-row.ts'
import { channelId, type Waiter } from '../../src/engine/state.ts'
import { Staging } from '../../src/runtime/staging.ts'
import { engineWorld, workflowOf } from '../support/engine.ts'

const listener = (more = ''): string =>
  `- { name: l, type: kafka-listener, topic: t, correlate: { message: message.value.c, instance: "'same'" }${more} }`
const record = { c: 'same' }
const many = 4 * limits.waitersInRowMax
const keys = Array.from({ length: many }, (_, index) => `k${index}`)

suite('a crowd', () => {
  test('is served one record each, the longest-waiting first', () => {
    const world = engineWorld(workflowOf([listener()]))
    for (const key of keys) {
      world.start('w', key)
      world.advance('1ms')
    }
    assert.equal(world.waiterCount, many)
    for (const [served, key] of keys.entries()) {
      assert.equal(world.tasks(key)['l'], 'EXECUTING')
      world.record('t', record)
      assert.equal(world.tasks(key)['l'], 'COMPLETED')
      assert.equal(world.waiterCount, many - served - 1)
    }
  })

  test('has somebody leave it from any place', () => {
    const world = engineWorld(workflowOf([listener(', timeout: 1h')]))
    for (const key of keys) {
      world.start('w', key)
      world.advance('1ms')
    }
    const leaving = keys.filter((_, index) => index % 3 === 0)
    for (const key of leaving) world.operate(key, { kind: 'stop', reason: 'enough' })
    const staying = keys.filter((key) => !leaving.includes(key))
    assert.equal(world.waiterCount, staying.length)
    for (const key of staying) {
      world.record('t', record)
      assert.equal(world.tasks(key)['l'], 'COMPLETED')
    }
  })

  test('is given a record for all, some at a time: none is left out', () => {
    const count = 2 * limits.handedToMax
    for (const partitions of [1, 4]) {
      const world = engineWorld(workflowOf([listener(', match: all')]), partitions)
      for (let index = 0; index < count; index++) world.start('w', `k${index}`)
      assert.equal(world.waiterCount, count)
      world.record('t', record)
      assert.equal(world.waiterCount, 0)
      for (let index = 0; index < count; index++) assert.equal(world.tasks(`k${index}`)['l'], 'COMPLETED')
    }
  })

  test('has a large record for all copied for some of them together, and not for each', () => {
    const count = 2 * limits.handedToMax
    const world = engineWorld(workflowOf([listener(', match: all')]), 1)
    for (let index = 0; index < count; index++) world.start('w', `k${index}`)
    world.hold('record.hand-out')
    world.record('t', { ...record, more: 'x'.repeat(limits.handedToMax * limits.handedToBytes) })
    assert.deepEqual(
      world.inFlight.map(({ type }) => type),
      ['record.hand-out'],
    )
    assert.equal(world.waiterCount, 0)
    world.deliver()
    for (let index = 0; index < count; index++) assert.equal(world.tasks(`k${index}`)['l'], 'COMPLETED')
  })

  test('passes over whoever a record is not for', () => {
    const world = engineWorld(
      workflowOf([
        '- { name: l, type: kafka-listener, topic: t, correlate: [{ message: message.value.c, instance: "\'same\'" }, { message: message.value.key, instance: instance.key }] }',
      ]),
    )
    for (const key of keys) world.start('w', key)
    for (const key of [...keys].reverse()) {
      world.record('t', { ...record, key })
      assert.equal(world.tasks(key)['l'], 'COMPLETED')
    }
  })
})

suite('the order of a channel', () => {
  type Step = { readonly joins: number } | { readonly leaves: number }
  const steps = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ joins: fc.nat({ max: 20 }) }) },
      { weight: 2, arbitrary: fc.record({ leaves: fc.nat() }) },
    ),
    { maxLength: 60 },
  )

  test('is that of the time since when they wait, whoever comes and goes', () => {
    const world = engineWorld(workflowOf([listener()]))
    const channel = channelId('w', 't', 'same')
    fc.assert(
      fc.property(steps, (list: readonly Step[]) => {
        const staging = new Staging(world.rows(0), undefined)
        let expected: Waiter[] = []
        for (const [number, step] of list.entries()) {
          if ('joins' in step) {
            const waiter = {
              instanceId: 'i',
              partition: 0,
              version: 'w@1',
              task: 0,
              number,
              sinceMs: step.joins,
              others: [],
            }
            apply({ type: 'channel.joined', channel, workflow: 'w', topic: 't', value: 'same', waiter }, staging)
            const at = expected.findIndex(({ sinceMs }) => sinceMs > waiter.sinceMs)
            expected = at === -1 ? [...expected, waiter] : expected.toSpliced(at, 0, waiter)
          } else if (expected.length > 0) {
            const [gone] = expected.splice(step.leaves % expected.length, 1)
            apply({ type: 'channel.left', channel, instanceId: 'i', number: gone!.number }, staging)
          }
          const row = staging.channels.find(channel)
          const found = row === undefined ? [] : [...waitersOf(channel, row, (id) => staging.crowd.expect(id))]
          assert.deepEqual(found, expected)
          assert.equal(row === undefined ? 0 : waitingIn(row), expected.length)
        }
        // What is left in the crowd's table is who stands there.
        const row = staging.channels.find(channel)
        assert.equal(staging.crowd.staged.size, row?.crowd?.length ?? 0)
      }),
      { numRuns: 300 },
    )
  })

  test('costs a few small rows for each who comes, however many wait', () => {
    const world = engineWorld(workflowOf([listener()]))
    const writtenWith = (waiting: number): number => {
      while (world.waiterCount < waiting) world.start('w', `k${String(world.waiterCount).padStart(6, '0')}`)
      const staging = new Staging(world.rows(0), undefined)
      const waiter = {
        instanceId: 'new',
        partition: 0,
        version: 'w@1',
        task: 0,
        number: 1,
        sinceMs: world.nowMs,
        others: [],
      }
      const channel = channelId('w', 't', 'same')
      apply({ type: 'channel.joined', channel, workflow: 'w', topic: 't', value: 'same', waiter }, staging)
      return staging.encode().reduce((bytes, { key, value }) => bytes + key.length + (value?.length ?? 0), 0)
    }
    const few = writtenWith(limits.waitersInRowMax + 2)
    assert.ok(few > 0)
    // A count grows by a byte or two.
    assert.ok(writtenWith(200) < few + 10)
  })
})
