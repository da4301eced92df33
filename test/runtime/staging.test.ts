// The overlay that a batch is decided on, over the batch in flight, over the committed rows.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { Payload } from '../../src/engine/payload.ts'
import type { InstanceRow, KeyRow } from '../../src/engine/state.ts'
import { encodeInstance } from '../../src/records/instance-codec.ts'
import { positionCodec } from '../../src/records/row-codec.ts'
import { codecs, CommittedRows } from '../../src/runtime/rows.ts'
import { Staging } from '../../src/runtime/staging.ts'
import { MapStore } from '../support/map-store.ts'

const isInvariant = { kind: 'invariant' }
const open = (cachedBytesMax?: number): { store: MapStore; rows: CommittedRows } => {
  const store = new MapStore()
  return { store, rows: new CommittedRows(store, cachedBytesMax) }
}
const key = (instanceId: string): KeyRow => ({ instanceId, queue: [] })

/** What a commit does: values to the store, rows to the committed ones. */
function commit(staging: Staging, store: MapStore): void {
  store.commit(staging.encode())
  staging.settle()
}

function instance(input: Payload): InstanceRow {
  return {
    id: 'i',
    workflow: 'w',
    version: 'w@1',
    key: 'k',
    origin: 'api',
    traceparent: undefined,
    startedAtMs: 0,
    input,
    status: 'EXECUTING',
    endedAtMs: undefined,
    vars: new Map(),
    parent: undefined,
    due: undefined,
    tasks: [],
    unsettled: 1,
    slots: 0,
    ending: undefined,
    stopping: 0,
    undos: 0,
    unknowns: 0,
    deadlines: undefined,
    signals: [],
    deferred: 0,
    incidents: 0,
    output: undefined,
    error: undefined,
    subscriptions: 0,
    ahead: [],
    attributes: new Map(),
    timeline: [],
    timelineDropped: 0,
    stored: [],
  }
}

suite('a batch', () => {
  test('G0: refuses to insert what is there, and to edit, expect or remove what is not', () => {
    const { rows } = open()
    const staging = new Staging(rows, undefined)
    for (const act of ['edit', 'expect', 'remove'] as const) assert.throws(() => staging.keys[act]('a'), isInvariant)
    staging.keys.insert('a', key('1'))
    assert.throws(() => staging.keys.insert('a', key('2')), isInvariant)
    staging.keys.remove('a')
    for (const act of ['edit', 'expect', 'remove'] as const) assert.throws(() => staging.keys[act]('a'), isInvariant)
  })

  test('G1: changes no row that was read, and copies it once', () => {
    const { store, rows } = open()
    const first = new Staging(rows, undefined)
    first.keys.insert('a', key('1'))
    commit(first, store)
    const read = rows.find('keys', 'a')
    const staging = new Staging(rows, undefined)
    const copy = staging.keys.edit('a')
    copy.instanceId = '2'
    assert.equal(read?.instanceId, '1')
    assert.equal(staging.keys.edit('a'), copy)
    assert.equal(staging.keys.find('a'), copy)
    assert.equal(rows.find('keys', 'a')?.instanceId, '1')
  })

  test('G1: copies an instance as deep as appliers reach', () => {
    const { store, rows } = open()
    const first = new Staging(rows, undefined)
    first.instances.insert('i', instance(Payload.of(1)))
    commit(first, store)
    const staging = new Staging(rows, undefined)
    const copy = staging.instances.edit('i')
    copy.timeline.push({ atMs: 1, task: 0, status: 'EXECUTING', attempt: 1, note: undefined })
    copy.tasks[3] = undefined
    const { timeline, tasks } = rows.find('instances', 'i') ?? assert.fail()
    assert.deepEqual([timeline.length, tasks.length], [0, 0])
  })

  test('G2: leaves no trace of a row that came and went', () => {
    const { rows } = open()
    const staging = new Staging(rows, undefined)
    staging.keys.insert('a', key('1'))
    staging.keys.remove('a')
    assert.deepEqual(staging.encode(), [])
  })

  test('clears a row whether it was there or not, without looking into the store: G2', () => {
    const { store, rows } = open()
    const first = new Staging(rows, undefined)
    for (const id of ['a', 'b']) first.keys.insert(id, key('1'))
    commit(first, store)
    const later = new CommittedRows(store)
    store.asked.length = 0
    const staging = new Staging(later, undefined)
    staging.keys.insert('new', key('2'))
    for (const id of ['new', 'a', 'nowhere']) staging.keys.clear(id)
    staging.keys.remove('b')
    staging.keys.clear('b')
    assert.equal(staging.keys.find('a'), undefined)
    assert.deepEqual(store.asked, ['k/b'])
    const gone = ['a', 'nowhere', 'b'].map((id) => ({ key: `k/${id}`, value: null }))
    assert.deepEqual(staging.encode(), gone)
    staging.keys.insert('a', key('3'))
    staging.keys.clear('a')
    commit(staging, store)
    assert.equal(later.find('keys', 'a'), undefined)
  })

  test('leaves a row that went and came again, and removes one that went', () => {
    const { store, rows } = open()
    const first = new Staging(rows, undefined)
    first.keys.insert('a', key('1'))
    first.keys.insert('b', key('1'))
    commit(first, store)
    const staging = new Staging(rows, undefined)
    staging.keys.remove('a')
    staging.keys.insert('a', key('2'))
    staging.keys.remove('b')
    assert.deepEqual(
      staging.encode().map((change) => [change.key, change.value === null]),
      [
        ['k/a', false],
        ['k/b', true],
      ],
    )
    commit(staging, store)
    assert.deepEqual([rows.find('keys', 'a')?.instanceId, rows.find('keys', 'b')], ['2', undefined])
    assert.equal(new CommittedRows(store).find('keys', 'a')?.instanceId, '2')
  })

  test('that is dropped has changed nothing', () => {
    const { store, rows } = open()
    const first = new Staging(rows, undefined)
    first.keys.insert('a', key('1'))
    commit(first, store)
    const dropped = new Staging(rows, undefined)
    dropped.keys.edit('a').instanceId = '2'
    dropped.keys.insert('b', key('2'))
    dropped.encode()
    const next = new Staging(rows, undefined)
    assert.deepEqual([next.keys.find('a')?.instanceId, next.keys.find('b')], ['1', undefined])
    next.keys.insert('b', key('3'))
    assert.equal(next.keys.find('b')?.instanceId, '3')
  })

  test('stages the last position of each source', () => {
    const staging = new Staging(open().rows, undefined)
    staging.position('t', 0, { topicId: 'x', offset: 1 })
    staging.position('t', 0, { topicId: 'x', offset: 2 })
    const [change, ...more] = staging.encode()
    assert.deepEqual([change?.key, more.length], ['p/t/0', 0])
    assert.deepEqual(positionCodec.decode(change?.value ?? assert.fail()), { topicId: 'x', offset: 2 })
  })
})

suite('a batch over one that is still being committed', () => {
  test('sees its rows, and those that it removed as gone', () => {
    const { store, rows } = open()
    const first = new Staging(rows, undefined)
    first.keys.insert('gone', key('1'))
    commit(first, store)
    const below = new Staging(rows, undefined)
    below.keys.insert('new', key('2'))
    below.keys.remove('gone')
    const above = new Staging(rows, below)
    assert.deepEqual([above.keys.find('new')?.instanceId, above.keys.find('gone')], ['2', undefined])
    assert.throws(() => above.keys.insert('new', key('3')), isInvariant)
    above.keys.insert('gone', key('3'))
    assert.equal(above.keys.find('gone')?.instanceId, '3')
  })

  test('changes no row of it, and removes what it inserted from the changelog as well', () => {
    const { store, rows } = open()
    const below = new Staging(rows, undefined)
    below.keys.insert('a', key('1'))
    below.keys.insert('b', key('1'))
    const bytes = below.encode()
    const above = new Staging(rows, below)
    above.keys.edit('a').instanceId = '2'
    above.keys.remove('b')
    assert.equal(below.keys.find('a')?.instanceId, '1')
    assert.deepEqual(
      above.encode().map((change) => [change.key, change.value === null]),
      [
        ['k/a', false],
        ['k/b', true],
      ],
    )
    store.commit(bytes)
    below.settle()
    above.release()
    assert.deepEqual([above.keys.find('a')?.instanceId, above.keys.find('b')], ['2', undefined])
    commit(above, store)
    assert.equal(new CommittedRows(store).find('keys', 'b'), undefined)
  })
})

suite('a large payload', () => {
  const large = (letter: string): Payload => Payload.of(letter.repeat(limits.payloadInlineBytesMax))

  test('is written once, beside its instance, and goes with it', () => {
    const { store, rows } = open()
    const first = new Staging(rows, undefined)
    first.instances.insert('i', instance(large('x')))
    commit(first, store)
    assert.deepEqual([...store.values.keys()], ['i/i', 'o/i/in'])
    const second = new Staging(rows, undefined)
    second.instances.edit('i').incidents = 1
    assert.deepEqual(
      second.encode().map((change) => change.key),
      ['i/i'],
    )
    commit(second, store)
    const third = new Staging(rows, undefined)
    third.instances.remove('i')
    commit(third, store)
    assert.equal(store.values.size, 0)
  })

  test('is read when it is asked for, and not before', () => {
    const { store, rows } = open()
    const first = new Staging(rows, undefined)
    first.instances.insert('i', instance(large('x')))
    commit(first, store)
    store.asked.length = 0
    const found = new CommittedRows(store).find('instances', 'i')
    assert.deepEqual(store.asked, ['i/i'])
    assert.equal(found?.input.value, 'x'.repeat(limits.payloadInlineBytesMax))
    assert.deepEqual(store.asked, ['i/i', 'o/i/in'])
  })

  test('that is replaced at its place is overwritten, and one that is gone is deleted', () => {
    const { store, rows } = open()
    const first = new Staging(rows, undefined)
    first.instances.insert('i', { ...instance(Payload.of(1)), output: large('x') })
    commit(first, store)
    const second = new Staging(rows, undefined)
    second.instances.edit('i').output = large('y')
    commit(second, store)
    assert.equal(
      new CommittedRows(store).find('instances', 'i')?.output?.value,
      'y'.repeat(limits.payloadInlineBytesMax),
    )
    const third = new Staging(rows, undefined)
    third.instances.edit('i').output = undefined
    commit(third, store)
    assert.deepEqual([...store.values.keys()], ['i/i'])
  })

  test('of an instance that is ended while its start is being committed leaves nothing behind', () => {
    const { store, rows } = open()
    const below = new Staging(rows, undefined)
    below.instances.insert('i', instance(large('x')))
    const bytes = below.encode()
    const above = new Staging(rows, below)
    above.instances.remove('i')
    const removal = above.encode()
    store.commit(bytes)
    store.commit(removal)
    assert.equal(store.values.size, 0)
  })

  test('that the store has lost is damage', () => {
    const { store, rows } = open()
    const first = new Staging(rows, undefined)
    first.instances.insert('i', instance(large('x')))
    commit(first, store)
    store.values.delete('o/i/in')
    const found = new CommittedRows(store).find('instances', 'i')
    assert.throws(() => found?.input.value, { kind: 'store-corrupted' })
  })
})

/** Two generations of rows that are not there. */
const generation = 250
const cachedBytes = 2 * generation * 200

suite('the committed rows', () => {
  test('ask the store once for what is asked for often, there or not', () => {
    const { store, rows } = open(cachedBytes)
    for (let n = 0; n < 3; n++) assert.equal(rows.find('keys', 'a'), undefined)
    assert.equal(store.asked.length, 1)
  })

  test('hold a bounded number of rows in memory: what was not asked for in a while is asked for again', () => {
    const { store, rows } = open(cachedBytes)
    rows.find('keys', 'first')
    for (let n = 0; n < 2 * generation; n++) rows.put('keys', `k${n}`, null, 0)
    assert.equal(rows.peek('keys', 'first'), undefined)
    rows.find('keys', 'first')
    assert.equal(store.asked.length, 2)
  })

  test('hold what is asked for again and again, however much comes by', () => {
    const { store, rows } = open(cachedBytes)
    for (let n = 0; n < 3 * generation; n++) {
      if (n % 100 === 0) rows.find('keys', 'often')
      rows.put('keys', `k${n}`, null, 0)
    }
    assert.equal(store.asked.length, 1)
  })

  test('give the latest row although an older one is remembered', () => {
    const { rows } = open(cachedBytes)
    rows.put('keys', 'a', key('old'), 50)
    for (let n = 0; n < generation; n++) rows.put('keys', `k${n}`, null, 0)
    rows.put('keys', 'a', key('new'), 50)
    for (let n = 0; n < generation - 1; n++) rows.put('keys', `l${n}`, null, 0)
    assert.equal(rows.find('keys', 'a')?.instanceId, 'new')
  })

  test('weigh what they hold: fewer large ones than small ones', () => {
    const { rows } = open(cachedBytes)
    const held = (bytes: number): number => {
      for (let n = 0; n < 4 * generation; n++) rows.put('keys', `${bytes}-${n}`, key('a'), bytes)
      return Array.from({ length: 4 * generation }, (_, n) => rows.peek('keys', `${bytes}-${n}`)).filter(Boolean).length
    }
    const [small, large] = [held(0), held(950)]
    assert.ok(small >= generation && small <= 2 * generation, `${small}`)
    assert.ok(large >= generation / 20 && large <= generation / 10, `${large}`)
  })

  test('forget an instance that has ended, and nothing of what is read again', () => {
    const { store, rows } = open(cachedBytes)
    const row = { ...instance(Payload.of(null)), endedAtMs: 5 }
    rows.put('instances', 'i', row, 100)
    assert.equal(rows.peek('instances', 'i'), undefined)
    store.values.set('i/i', encodeInstance(row).bytes)
    assert.equal(rows.find('instances', 'i')?.endedAtMs, 5)
  })

  test('read in advance what is small, and then know what is not there', async () => {
    const { store, rows } = open(cachedBytes)
    store.commit([{ key: 'k/a', value: codecs.keys.encode(key('a')) }])
    await rows.fill()
    assert.equal(rows.find('keys', 'b'), undefined)
    assert.equal(rows.find('keys', 'a')?.instanceId, 'a')
    assert.deepEqual(store.asked, [])
    // Until that many were written that not all of them fit.
    for (let n = 0; n < 2 * generation; n++) rows.put('keys', `k${n}`, key('a'), 0)
    assert.equal(rows.find('keys', 'b'), undefined)
    assert.deepEqual(store.asked, ['k/b'])
  })

  test('read beforehand what is named, but for what is committed meanwhile', async () => {
    const { store, rows } = open(cachedBytes)
    for (const id of ['a', 'b', 'c'])
      store.commit([{ key: `i/${id}`, value: encodeInstance({ ...instance(Payload.of(null)), id }).bytes }])
    const names = ['a', 'b', 'c', 'd'].map((id) => ({ table: 'instances' as const, id }))
    const reading = rows.prefetch(names)
    rows.put('instances', 'b', { ...instance(Payload.of(null)), id: 'b', key: 'newer' }, 100)
    rows.put('instances', 'c', { ...instance(Payload.of(null)), id: 'c', endedAtMs: 5 }, 100)
    await reading
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((id) => rows.peek('instances', id)?.key),
      ['k', 'newer', undefined, undefined],
    )
    assert.equal(rows.peek('instances', 'd'), null)
    assert.equal(rows.peek('instances', 'c'), undefined)
    store.asked.length = 0
    await rows.prefetch(names.slice(0, 2))
    assert.deepEqual(store.asked, [])
  })
})
