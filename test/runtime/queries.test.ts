// Lists of instances by each of their filters, from committed state.
import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import type { Json } from '../../src/base/json.ts'
import type { InstanceFilter } from '../../src/runtime/face.ts'
import { criteriaOf } from '../../src/runtime/instance-filter.ts'
import { startMemoryWorker, type MemoryWorker } from '../support/worker.ts'

const waiting = `
workflow: parcel
version: spring
tasks:
  - name: pack
    type: signal
    signal: packed
  - name: ship
    type: signal
    signal: shipped
`
const items = `
workflow: boxes
tasks:
  - name: each
    type: for-each
    items: "\${ input }"
    tasks:
      - name: label
        type: signal
        signal: labelled
`

const torn = `
workflow: torn
tasks:
  - name: sent
    type: kafka-command
    topic: said
    value: "\${ input.none }"
`

const customers = `
workflow: order
attributes: { customer: input.customer, amount: input.amount, state: tasks.pay.status }
tasks:
  - { name: pay, type: signal, signal: paid }
`

async function stage(t: TestContext, text: string) {
  const memory = await startMemoryWorker(text)
  t.after(() => memory.worker.stop())
  const { worker } = memory
  return {
    memory,
    start: async (key: string, input: Json = null, workflow = 'parcel') => {
      const answer = await worker.instances.start({ workflow, key, input })
      assert.ok(answer.outcome === 'started')
      return answer.instanceId
    },
    keys: (filter: Omit<InstanceFilter, 'limit'>) => keysOf(memory, filter),
  }
}

async function keysOf({ worker }: MemoryWorker, filter: Omit<InstanceFilter, 'limit'>, limit = 100) {
  const { items: found } = await worker.instances.list({ ...filter, limit })
  return found.map(({ key }) => key)
}

suite('a list of instances', () => {
  test('is filtered by version: whole, its address alone, or a label', async (t) => {
    const { start, keys, memory } = await stage(t, waiting + '---' + items)
    await start('a')
    await start('b', [1], 'boxes')
    const version = memory.worker.view().workflows.find(({ name }) => name === 'parcel')?.version ?? ''
    for (const asked of [version, version.slice('parcel@'.length), 'spring'])
      assert.deepEqual(await keys({ version: asked }), ['a'])
    assert.deepEqual(await keys({ version: 'autumn' }), [])
  })

  test('is filtered by several statuses at once', async (t) => {
    const { start, keys, memory } = await stage(t, waiting)
    const { instances } = memory.worker
    for (const key of ['a', 'b', 'c']) await start(key)
    const [c, b] = (await instances.list({ limit: 2 })).items
    await instances.operate(c!.id, { kind: 'suspend' }, 'ann')
    await instances.operate(b!.id, { kind: 'stop', reason: 'no' }, 'ann')
    assert.deepEqual(await keys({ status: ['SUSPENDED', 'STOPPED'] }), ['c', 'b'])
    assert.deepEqual(await keys({ status: 'EXECUTING' }), ['a'])
  })

  test('is filtered by a task that is under way, one in an item by any of its names', async (t) => {
    const { start, keys, memory } = await stage(t, waiting + '---' + items)
    const a = await start('a')
    await start('b', [1, 2], 'boxes')
    assert.deepEqual(await keys({ waitingAt: 'pack' }), ['a'])
    assert.deepEqual(await keys({ waitingAt: 'ship' }), [])
    for (const name of ['label', 'each[1].label', 'each[].label'])
      assert.deepEqual(await keys({ waitingAt: name }), ['b'])
    for (const name of ['each[2].label', 'other[].label', 'each', 'each[0]', 'none'])
      assert.deepEqual(await keys({ waitingAt: name }), [])
    await memory.worker.instances.operate(a, { kind: 'signal', name: 'packed', payload: null }, 'ann')
    assert.deepEqual(await keys({ waitingAt: 'ship' }), ['a'])
  })

  test('is filtered by when instances started and ended', async (t) => {
    const { start, keys, memory } = await stage(t, waiting)
    const { clock, worker } = memory
    const times: string[] = []
    for (let hour = 0; hour < 4; hour++) {
      const id = await start(`h${hour}`)
      times.push((await worker.instances.find(id))!.startedAt)
      clock.advance(3_600_000)
    }
    const [h0 = '', h1 = '', h2 = ''] = times
    assert.deepEqual(await keys({ startedAfter: h1 }), ['h3', 'h2'])
    assert.deepEqual(await keys({ startedBefore: h1 }), ['h0'])
    assert.deepEqual(await keys({ startedAfter: h0, startedBefore: h2 }), ['h1'])
    assert.deepEqual(await keys({ endedAfter: h0 }), [])
    const [first] = (await worker.instances.list({ limit: 1, startedBefore: h1 })).items
    await worker.instances.operate(first!.id, { kind: 'stop', reason: 'no' }, 'ann')
    const { endedAt = '' } = (await worker.instances.find(first!.id)) ?? {}
    assert.deepEqual(await keys({ endedAfter: h2 }), ['h0'])
    assert.deepEqual(await keys({ endedBefore: endedAt }), [])
    assert.deepEqual(await keys({ endedAfter: endedAt }), [])
  })

  test('looks at no instance that started at other times', async (t) => {
    const { start, memory } = await stage(t, waiting)
    const { clock, worker } = memory
    const before = await start('before')
    clock.advance(60_000)
    const within = await start('within')
    const { startedAt } = (await worker.instances.find(within))!
    clock.advance(60_000)
    const after = await start('after')
    const at = (ms: number) => new Date(Date.parse(startedAt) + ms).toISOString()
    const catalogue = worker.definitions.catalogue
    const { from, to = '' } = criteriaOf({ startedAfter: at(-1), startedBefore: at(1), limit: 9 }, catalogue)
    assert.ok(before < from && from < within && within < to && to < after)
    assert.equal(criteriaOf({ endedBefore: at(1), limit: 9 }, catalogue).to, to)
  })

  test('shows what waits for a person by the task, too', async (t) => {
    const { start, keys, memory } = await stage(t, torn)
    await start('a', {}, 'torn')
    assert.deepEqual(await keys({ incident: true, waitingAt: 'sent' }), ['a'])
    const { items: found } = await memory.worker.instances.list({ limit: 9 })
    assert.deepEqual([found[0]?.waitingAt, found[0]?.incidentsAt], [[], ['sent']])
  })

  test('is filtered by search attributes, compared as texts, and by others beside them', async (t) => {
    const { start, keys, memory } = await stage(t, customers + '---' + waiting)
    await start('a', { customer: 'c-17', amount: 5 }, 'order')
    await start('b', { customer: 'c-17/x', amount: 5 }, 'order')
    const c = await start('c', { customer: 'c-17', amount: '7' }, 'order')
    await start('d', null, 'parcel')
    assert.deepEqual(await keys({ attribute: ['customer:c-17'] }), ['c', 'a'])
    assert.deepEqual(await keys({ attribute: ['customer:c-17/x'] }), ['b'])
    assert.deepEqual(await keys({ attribute: ['amount:5'] }), ['b', 'a'])
    assert.deepEqual(await keys({ attribute: ['amount:7', 'customer:c-17'] }), ['c'])
    assert.deepEqual(await keys({ attribute: ['customer:c-1'] }), [])
    assert.deepEqual(await keys({ attribute: ['nobody:c-17'] }), [])
    assert.deepEqual(await keys({ attribute: ['customer:\ud800'] }), [])
    await memory.worker.instances.operate(c, { kind: 'stop', reason: 'no' }, 'ann')
    assert.deepEqual(await keys({ attribute: ['customer:c-17'], status: 'STOPPED' }), ['c'])
    assert.deepEqual(await keys({ attribute: ['state:EXECUTING'] }), ['b', 'a'])
    const { attributes } = (await memory.worker.instances.find(c)) ?? {}
    assert.deepEqual(attributes, { customer: 'c-17', amount: '7', state: 'STOPPED' })
  })

  test('by a search attribute reads what has it and nothing else, page by page', async (t) => {
    const { start, memory } = await stage(t, customers)
    const { worker, disk } = memory
    for (let number = 0; number < 40; number++)
      await start(`n${number}`, { customer: number % 10 === 0 ? 'rare' : 'other', amount: number }, 'order')
    const listed: string[] = []
    const list = disk.list.bind(disk)
    disk.list = (files, range) => {
      const entries = list(files, range)
      listed.push(...entries.map(({ key }) => key))
      return entries
    }
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await worker.instances.list({ attribute: ['customer:rare'], limit: 1, ...(cursor && { cursor }) })
      found.push(...page.items.map(({ key }) => key))
      cursor = page.next
    } while (cursor !== undefined)
    assert.deepEqual(found, ['n30', 'n20', 'n10', 'n0'])
    assert.ok(listed.length > 0 && listed.every((key) => key.startsWith('x/customer/rare/')))
  })

  test('tells why an attribute is absent where one instance is looked at', async (t) => {
    const { start, memory } = await stage(t, customers)
    const id = await start('a', { customer: ['c'], amount: 5 }, 'order')
    const { attributes, attributesAbsent } = (await memory.worker.instances.find(id))!
    assert.deepEqual(attributes, { amount: 5, state: 'EXECUTING' })
    assert.deepEqual(Object.keys(attributesAbsent ?? {}), ['customer'])
    assert.match(attributesAbsent?.['customer'] ?? '', /found a list/)
  })

  test('goes on by its cursor within a time, and shows each instance once', async (t) => {
    const { start, memory } = await stage(t, waiting)
    const { clock, worker } = memory
    await start('before')
    clock.advance(60_000)
    const startedAfter = new Date(clock.nowMs() - 1).toISOString()
    for (let number = 0; number < 7; number++) await start(`n${number}`)
    clock.advance(60_000)
    const startedBefore = new Date(clock.nowMs()).toISOString()
    clock.advance(60_000)
    await start('after')
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await worker.instances.list({ startedAfter, startedBefore, limit: 2, ...(cursor && { cursor }) })
      found.push(...page.items.map(({ key }) => key))
      cursor = page.next
    } while (cursor !== undefined)
    assert.deepEqual(found, ['n6', 'n5', 'n4', 'n3', 'n2', 'n1', 'n0'])
  })
})
