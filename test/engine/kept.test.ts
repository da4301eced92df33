// Records that came before their listener: how long they wait, what goes with an instance, and the bounds.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { apply } from '../../src/engine/apply.ts'
import { process } from '../../src/engine/process.ts'
import { channelId, keptTotalsId } from '../../src/engine/state.ts'
import { Staging } from '../../src/runtime/staging.ts'
import { engineWorld, workflowOf, type EngineWorld } from '../support/engine.ts'

const listener = (name: string, more = ''): string =>
  `- { name: ${name}, type: kafka-listener, topic: replies, correlate: { message: message.value.id, instance: instance.key }${more} }`

suite('a kept record', () => {
  test('expires after the longest `keep` of its topic’s listeners', () => {
    const world = engineWorld(workflowOf([listener('l', ', keep: 10m'), listener('m', ', dependsOn: [], keep: 20m')]))
    world.record('replies', { id: 'k' })
    world.advance('1199999ms')
    assert.equal(world.keptCount, 1)
    world.advance('1ms')
    assert.deepEqual([world.keptCount, world.timers()], [0, []])
    assert.equal(world.eventsOf('record.unkept')[0]?.reason, 'expired')
  })

  test('is not for a listener whose own `keep` is shorter than it is old', () => {
    const world = engineWorld(
      workflowOf([listener('short', ', keep: 10m'), listener('long', ', dependsOn: [], keep: 20m')]),
    )
    world.record('replies', { id: 'k' })
    world.advance('15m')
    world.start('w', 'k')
    assert.deepEqual(world.tasks('k'), { short: 'EXECUTING', long: 'COMPLETED' })
  })

  test('is for a listener that began to wait within its `keep`, however long the subscription was on its way', () => {
    const task = (name: string, keep: string): string =>
      `- { name: ${name}, type: kafka-listener, dependsOn: [], topic: replies, correlate: { message: message.value.id, instance: "'same'" }, keep: ${keep} }`
    const world = engineWorld(workflowOf([task('short', '10m'), task('long', '1h')]), 8)
    const away = Array.from({ length: 50 }, (_, n) => `k${n}`).find(
      (key) => world.partitionOf(key) !== world.partitionOf('same'),
    )!
    world.record('replies', { id: 'same' })
    world.advance('9m')
    world.hold('channel.join')
    world.start('w', away)
    world.advance('20m')
    world.deliver()
    assert.equal(world.tasks(away)['short'], 'COMPLETED')
    assert.equal(world.keptCount, 0)
  })

  test('waits for nobody where `keep` is 0', () => {
    const world = engineWorld(workflowOf([listener('l', ', keep: 0s')]))
    world.record('replies', { id: 'k' })
    assert.deepEqual(
      world.eventsOf('record.dropped').map(({ reason }) => reason),
      ['expired'],
    )
    world.start('w', 'k')
    assert.deepEqual(world.tasks('k'), { l: 'EXECUTING' })
  })

  test('is taken in the order of arrival', () => {
    const world = engineWorld(workflowOf([listener('first'), listener('second')]))
    for (const n of [1, 2, 3]) {
      world.record('replies', { id: 'k', n })
      world.advance('1s')
    }
    world.start('w', 'k')
    assert.deepEqual(world.output('k', 'first'), { id: 'k', n: 1 })
    assert.deepEqual(world.output('k', 'second'), { id: 'k', n: 2 })
  })

  test('of another value is left alone', () => {
    const world = engineWorld(workflowOf([listener('l')]))
    world.record('replies', { id: 'other' })
    world.start('w', 'k')
    assert.deepEqual([world.tasks('k'), world.keptCount], [{ l: 'EXECUTING' }, 1])
  })
})

suite('the end of an instance', () => {
  test('takes along what came while it ran: a late duplicate answers no later instance', () => {
    const world = engineWorld(workflowOf([listener('l')]))
    world.start('w', 'k')
    world.record('replies', { id: 'k', n: 1 })
    assert.equal(world.status('k'), 'COMPLETED')
    const two = engineWorld(workflowOf([listener('l'), '- { name: z, type: trigger, delay: 1m }']))
    two.start('w', 'k')
    two.record('replies', { id: 'k', n: 1 })
    two.record('replies', { id: 'k', n: 1 })
    assert.equal(two.keptCount, 1)
    two.advance('1m')
    assert.equal(two.keptCount, 0)
    assert.equal(two.eventsOf('record.unkept').at(-1)?.reason, 'purged')
    two.start('w', 'k')
    assert.deepEqual(two.tasks('k'), { l: 'EXECUTING', z: 'NOT_STARTED' })
  })

  test('leaves what came before it began', () => {
    const tasks = [listener('l', ', when: input.listen'), '- { name: z, type: trigger, delay: 1m }']
    const world = engineWorld(workflowOf(tasks))
    world.record('replies', { id: 'k', n: 'early' })
    world.advance('1m')
    world.start('w', 'k', { listen: false })
    world.record('replies', { id: 'k', n: 'meanwhile' })
    world.advance('1m')
    assert.deepEqual([world.status('k'), world.keptCount], ['COMPLETED', 1])
    world.start('w', 'k', { listen: true })
    assert.deepEqual(world.output('k', 'l'), { id: 'k', n: 'early' })
  })

  test('takes along what was kept for listeners that it never reached', () => {
    const tasks = [
      '- { name: gate, type: trigger, delay: 1m }',
      `- { name: d, type: decision, cases: [{ when: input.go, next: [l] }], default: [] }`,
      listener('l', ', dependsOn: [d]'),
    ]
    const world = engineWorld(workflowOf(tasks))
    world.start('w', 'k', { go: false })
    world.record('replies', { id: 'k' })
    assert.equal(world.keptCount, 1)
    world.advance('1m')
    assert.deepEqual([world.tasks('k')['l'], world.keptCount], ['SKIPPED', 0])
  })

  test('by failure does the same', () => {
    const tasks = [
      '- { name: gate, type: trigger, delay: 1m }',
      '- { name: bad, type: set, set: { x: "${ input.no }" }, onFailure: fail }',
      listener('l'),
    ]
    const world = engineWorld(workflowOf(tasks, 'vars: { x: 0 }'))
    world.start('w', 'k', {})
    world.record('replies', { id: 'k' })
    world.advance('1m')
    assert.deepEqual([world.status('k'), world.keptCount], ['FAILED', 0])
  })
})

suite('what is kept has an end', () => {
  const encoder = new TextEncoder()
  let offset = 0

  /** Publishes records for these values on a batch of one partition; gives the numbers that were evicted, in order. */
  function publish(world: EngineWorld, staging: Staging, values: readonly string[]): number[] {
    const evicted: number[] = []
    for (const value of values) {
      const record = {
        topic: 'replies',
        partition: 0,
        offset: offset++,
        timestampMs: world.nowMs,
        key: null,
        value: encoder.encode(JSON.stringify({ id: value })),
        headers: [],
      }
      process(
        { type: 'channel.publish', workflow: 'w', value, record, keepMs: 3_600_000, onExpired: 'drop' },
        staging,
        world.surroundings(0),
        {
          outgoing: [],
          effects: [],
          onEvent: (event) => {
            if (event.type === 'record.unkept' && event.reason === 'evicted') evicted.push(event.number)
          },
          // An instance that ends takes with it what is kept for it.
          onRejection: (_command, code) => assert.equal(code, 'nothing-kept'),
        },
      )
    }
    return evicted
  }

  test('in count for one value: the oldest of that value goes, and no other', () => {
    const world = engineWorld(workflowOf([listener('l')]), 1)
    const staging = new Staging(world.rows(0), undefined)
    assert.deepEqual(publish(world, staging, ['other']), [])
    assert.deepEqual(publish(world, staging, Array<string>(limits.keptPerValueMax).fill('k')), [])
    assert.deepEqual(publish(world, staging, ['k', 'k', 'other']), [1, 2])
    assert.equal(staging.keptTotals.expect(keptTotalsId).count, limits.keptPerValueMax + 2)
  })

  for (const [what, kept] of [
    ['count', { count: limits.keptRecordsMax }],
    ['bytes', { bytes: limits.keptBytesMax }],
  ] as const) {
    test(`in ${what} for a partition: the oldest goes first, past those that are gone already`, () => {
      const world = engineWorld(workflowOf([listener('l')]), 1)
      const staging = new Staging(world.rows(0), undefined)
      publish(world, staging, ['a', 'b', 'c', 'd'])
      apply({ type: 'record.unkept', number: 1, reason: 'matched' }, staging)
      // As if many more were kept than a test can hold.
      Object.assign(staging.keptTotals.edit(keptTotalsId), kept)
      assert.deepEqual(publish(world, staging, ['e']), [0])
      assert.deepEqual(publish(world, staging, ['f']), [2])
      assert.ok(staging.keptTotals.expect(keptTotalsId).oldest >= 3)
    })
  }

  test('and the oldest is found at once however long the gap before it is', () => {
    const world = engineWorld(workflowOf([listener('l')]), 1)
    const staging = new Staging(world.rows(0), undefined)
    const values = Array.from({ length: 100 }, (_, n) => `k${n}`)
    publish(world, staging, values)
    for (let number = 1; number < 90; number++) apply({ type: 'record.unkept', number, reason: 'matched' }, staging)
    assert.equal(staging.keptTotals.expect(keptTotalsId).oldest, 0)
    Object.assign(staging.keptTotals.edit(keptTotalsId), { count: limits.keptRecordsMax })
    assert.deepEqual(publish(world, staging, ['x', 'y']), [0, 90])
    assert.ok(staging.keptTotals.expect(keptTotalsId).oldest >= 91)
  })

  test('and what comes after its listener is not kept, though the clock of the listener’s machine is ahead', () => {
    const world = engineWorld(workflowOf([listener('l', ', keep: 0s')]), 1)
    world.start('w', 'k')
    const staging = new Staging(world.rows(0), undefined)
    const channel = channelId('w', 'replies', 'k')
    const row = staging.channels.edit(channel)
    Object.assign(row, { waiters: row.waiters.map((waiter) => ({ ...waiter, sinceMs: world.nowMs + 60_000 })) })
    publish(world, staging, ['k'])
    assert.equal(staging.channels.find(channel), undefined)
    assert.equal(staging.keptTotals.find(keptTotalsId)?.count ?? 0, 0)
  })
})
