// Timers, subscriptions, kept records and how partitions stand, by a whole worker on the memory log.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OrderedPage } from '../../src/runtime/face.ts'
import { startMemoryWorker, type MemoryWorker } from '../support/worker.ts'

const order = `
workflow: order
start: [{ topic: orders, from: earliest, key: "\${ message.value.id }" }]
tasks:
  - name: paid
    type: kafka-listener
    topic: payments
    correlate:
      - { message: message.value.order, instance: instance.key }
      - { message: message.value.shop, instance: "'s-1'" }
    timeout: 1h
`

const ids = Array.from({ length: 12 }, (_, at) => `o-${at}`)

async function shop(): Promise<MemoryWorker> {
  const given = await startMemoryWorker(order)
  for (const id of ids) {
    await given.produce('orders', id, { id })
    await given.until(async () => (await given.worker.instances.findByKey('order', id)) !== undefined, id)
  }
  const isSubscribed = async () => (await given.worker.lists.subscriptions({ limit: 100 })).items.length === ids.length
  await given.until(isSubscribed, 'all wait')
  return given
}

/** All pages, each of so many. */
async function all<Item extends { readonly cursor: string }>(
  ask: (bounds: { readonly limit: number; readonly cursor?: string }) => Promise<OrderedPage<Item>>,
  limit: number,
): Promise<readonly Item[]> {
  const items: Item[] = []
  for (let cursor: string | undefined; ;) {
    const page = await ask({ limit, ...(cursor === undefined ? {} : { cursor }) })
    assert.ok(page.items.length <= limit)
    items.push(...page.items)
    if (page.next === undefined) return items
    cursor = page.next
  }
}

test('subscriptions are listed by value over all partitions, page by page, each once; with who waits', async () => {
  const { worker } = await shop()
  const byTwo = await all((bounds) => worker.lists.subscriptions(bounds), 2)
  assert.deepEqual(
    byTwo.map(({ value }) => value),
    ids.toSorted(),
  )
  assert.ok(new Set(byTwo.map(({ partition }) => partition)).size > 1)
  assert.deepEqual(byTwo, await all((bounds) => worker.lists.subscriptions(bounds), 100))
  const [first] = byTwo
  const instance = await worker.instances.findByKey('order', 'o-0')
  assert.deepEqual([first?.workflow, first?.topic, first?.waiting], ['order', 'payments', 1])
  assert.deepEqual(
    first?.waiters.map(({ instanceId, task, others }) => [instanceId, task, others]),
    [[instance?.id, 'paid', ['s-1']]],
  )
})

test('a subscription that many share is one, with all of them counted and the longest-waiting first', async () => {
  const given = await startMemoryWorker(`
workflow: pool
start: [{ topic: orders, from: earliest, key: "\${ message.value.id }" }]
tasks:
  - { name: free, type: kafka-listener, topic: places, correlate: { message: message.key, instance: "'any'" } }
`)
  const subscriptions = async () => (await given.worker.lists.subscriptions({ limit: 10 })).items
  const started: (string | undefined)[] = []
  for (const [at, id] of ids.entries()) {
    await given.produce('orders', id, { id })
    await given.until(async () => (await subscriptions())[0]?.waiting === at + 1, `${id} waits`)
    started.push((await given.worker.instances.findByKey('pool', id))?.id)
  }
  const [only, ...more] = await subscriptions()
  assert.deepEqual(more, [])
  assert.deepEqual(
    only?.waiters.map(({ instanceId }) => instanceId),
    started,
  )
})

test('a filter by value means that value, and not those that begin with it', async () => {
  const { worker } = await shop()
  const values = async (filter: { workflow?: string; topic?: string; value?: string }) =>
    (await all((bounds) => worker.lists.subscriptions({ ...filter, ...bounds }), 5)).map(({ value }) => value)
  assert.deepEqual(await values({ workflow: 'order', topic: 'payments', value: 'o-1' }), ['o-1'])
  assert.deepEqual(await values({ value: 'o-1' }), ['o-1'])
  assert.equal((await values({ topic: 'payments' })).length, ids.length)
  assert.equal((await values({ workflow: 'order' })).length, ids.length)
  for (const nothing of [{ workflow: 'orde' }, { topic: 'payment' }, { workflow: 'order/payments' }, { value: '' }])
    assert.deepEqual(await values(nothing), [])
})

test('kept records are listed by value, the oldest of each first, with their values where that is asked', async () => {
  const given = await shop()
  const { worker, produce, until } = given
  for (const n of [1, 2, 3]) for (const id of ['o-1', 'o-2']) await produce('payments', id, { order: id, shop: 'x', n })
  const kept = (more = {}) => all((bounds) => worker.lists.kept({ ...bounds, ...more }), 2)
  await until(async () => (await kept()).length === 6, 'all are kept')
  const records = (await kept({ withRecord: true })).map(({ value, record }) => [value, Object(record).n])
  assert.deepEqual(records, [
    ['o-1', 1],
    ['o-1', 2],
    ['o-1', 3],
    ['o-2', 1],
    ['o-2', 2],
    ['o-2', 3],
  ])
  const [first] = await kept({ value: 'o-2' })
  assert.equal(first?.record, undefined)
  assert.deepEqual([first?.source.topic, first?.key, first?.onExpired], ['payments', 'o-2', 'drop'])
  const { kept: totals } = (await worker.standing.partitions()).reduce((sum, each) => ({
    ...sum,
    kept: { records: sum.kept.records + each.kept.records, bytes: sum.kept.bytes + each.kept.bytes },
  }))
  assert.equal(totals.records, 6)
})

test('timers are listed as they are due over all partitions; what only forgets is left out unless it is asked for', async () => {
  const given = await shop()
  const { worker, produce, until } = given
  const timers = (more = {}) => all((bounds) => worker.lists.timers({ ...bounds, ...more }), 5)
  const due = await timers()
  assert.deepEqual(
    due.map(({ key, kind, task }) => [key, kind, task]),
    ids.map((id) => [id, 'timeout', 'paid']),
  )
  await produce('payments', 'x', { order: 'o-3', shop: 's-1' })
  const isOver = async () => (await worker.instances.findByKey('order', 'o-3'))?.status === 'COMPLETED'
  await until(isOver, 'one is paid')
  assert.equal((await timers()).length, ids.length - 1)
  const kinds = (await timers({ all: true })).map(({ kind }) => kind)
  assert.equal(kinds.filter((kind) => kind === 'forget-instance').length, 1)
  assert.deepEqual(
    (await timers({ kind: 'forget-instance' })).map(({ key }) => key),
    ['o-3'],
  )
  assert.deepEqual(await timers({ workflow: 'refund' }), [])
  const partitions = await worker.standing.partitions()
  assert.deepEqual(partitions.flatMap(({ nextTimerAt }) => nextTimerAt ?? []).toSorted()[0], due[0]?.dueAt)
})

test('incidents are counted by workflow, task and code, with one of them', async () => {
  const given = await startMemoryWorker(
    `
workflow: order
start: [{ topic: orders, from: earliest, key: "\${ message.value.id }" }]
tasks:
  - { name: a, type: a, dependsOn: [], with: "\${ input.id }", retry: { maxAttempts: 1 } }
  - { name: each, type: for-each, dependsOn: [], items: "\${ [1, 2] }", tasks: [{ name: b, type: a, with: z, retry: { maxAttempts: 1 } }] }
`,
    {
      handlers: [
        {
          name: 'a',
          run: ({ input }) =>
            Promise.reject(Object.assign(new Error('no'), { code: `x-${JSON.stringify(input).slice(1, -1)}` })),
        },
      ],
    },
  )
  for (const [key, id] of [
    ['1', 'p'],
    ['2', 'q'],
    ['3', 'p'],
  ]) {
    await given.produce('orders', 'k', { id: `${id}${key}` })
    const at = async () => (await given.worker.instances.findByKey('order', `${id}${key}`))?.incidents === 3
    await given.until(at, 'it has its incidents')
  }
  const { incidents } = await given.worker.standing.worker()
  assert.deepEqual([incidents.instancesLookedAt, incidents.isCut], [3, false])
  assert.deepEqual(
    incidents.groups.map(({ workflow, task, code, count }) => `${count} ${workflow} ${task} ${code}`).toSorted(),
    ['1 order a x-p1', '1 order a x-p3', '1 order a x-q2', '6 order each[].b x-z'],
  )
  assert.equal(incidents.groups[0]?.code, 'x-z')
  assert.ok((await given.worker.instances.find(incidents.groups[0]?.instanceId ?? '')) !== undefined)
})
