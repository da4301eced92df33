// What is explained, by a whole worker on the memory log: what a listener waits for and which records came near, and what
// became of a record.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InstanceExplanation, RecordExplanation, RecordUse } from '../../src/runtime/face.ts'
import { startMemoryWorker, type MemoryWorker } from '../support/worker.ts'

const order = `
workflow: order
input: { type: object, required: [id], properties: { id: { type: string } } }
start:
  - topic: orders
    from: earliest
    when: message.value.?kind.orValue('') != 'draft'
    key: "\${ message.value.id }"
tasks:
  - name: paid
    type: kafka-listener
    topic: payments
    correlate: { message: message.value.order, instance: instance.key }
    where: message.value.amount > 10
    keep: 1h
    timeout: 2h
    onFailure: skip
`

async function shop(): Promise<MemoryWorker> {
  const shop = await startMemoryWorker(order)
  await shop.produce('orders', 'k', { id: 'o-17' })
  await shop.until(async () => (await shop.worker.instances.findByKey('order', 'o-17')) !== undefined, 'it started')
  return shop
}

/** Lets the clock go on until it is answered. */
async function answered<Answer>({ until }: MemoryWorker, asked: Promise<Answer>): Promise<Answer> {
  let isAnswered = false
  const done = asked.finally(() => (isAnswered = true))
  done.catch(() => {})
  await until(() => isAnswered, 'it is answered')
  return done
}

async function explained(given: MemoryWorker, key = 'o-17'): Promise<InstanceExplanation> {
  const instance = await given.worker.instances.findByKey('order', key)
  assert.ok(instance !== undefined)
  const explanation = await answered(given, given.worker.explain.instance(instance.id))
  assert.ok(explanation !== undefined)
  return explanation
}

async function whereabouts(given: MemoryWorker, topic: string, isIt: (value: { [name: string]: unknown }) => boolean) {
  const partitions = (await given.worker.topics.list()).find(({ name }) => name === topic)?.partitions ?? []
  for (const { partition } of partitions) {
    const page = await answered(
      given,
      given.worker.topics.consume({ topic, partition, offset: 0, limit: 100, waitMs: 0 }),
    )
    const found = page?.records.find(({ value }) => isIt(Object(value)))
    if (found !== undefined) return { partition, offset: found.offset }
  }
  throw new Error('there is no such record')
}

async function recordExplained(
  given: MemoryWorker,
  topic: string,
  isIt: (value: { [name: string]: unknown }) => boolean,
): Promise<RecordExplanation> {
  const { partition, offset } = await whereabouts(given, topic, isIt)
  // Its partition has decided on it.
  await given.until(
    async () =>
      (await given.worker.standing.partitions()).every(({ sources }) => sources.every(({ behind }) => behind === 0)),
    'all is read',
  )
  const explanation = await answered(given, given.worker.explain.record(topic, partition, offset))
  assert.ok(explanation !== undefined)
  return explanation
}

const onlyUse = ({ uses }: RecordExplanation): RecordUse => {
  assert.equal(uses.length, 1, JSON.stringify(uses))
  return uses[0]!
}

test('a listener is explained by what it waits for, since and until when, and what happens then', async () => {
  const given = await shop()
  const { summary, tasks, help } = await explained(given)
  assert.match(summary, /^order\/o-17 waits at paid for a record of payments for 'o-17', until /)
  const [paid] = tasks
  assert.equal(tasks.length, 1)
  assert.equal(paid?.kind, 'record')
  assert.equal(paid.afterwards, 'it fails with `timeout` and is skipped')
  assert.equal(Date.parse(paid.until ?? '') - Date.parse(paid.since), 2 * 3_600_000)
  assert.deepEqual(paid.listener?.pairs, [{ message: 'message.value.order', instance: 'instance.key', value: 'o-17' }])
  assert.equal(paid.listener?.where, 'message.value.amount > 10')
  assert.deepEqual(paid.listener?.nearMisses, {
    items: [],
    recordsLookedAt: 0,
    partitionsLookedAt: 3,
    partitions: 3,
    others: 0,
  })
  assert.deepEqual(
    paid.help.map(({ action }) => action),
    ['complete', 'skip'],
  )
  assert.deepEqual(help, [])
})

test('near misses are records that came and did not match, the nearest first, each with why', async () => {
  const given = await shop()
  const misses: readonly [unknown, string, RegExp][] = [
    [{ order: 'o-17', amount: 3 }, 'where-false', /message\.value\.amount > 10 gives false/],
    [{ order: 'o-17' }, 'where-failed', /where: .*amount/],
    [{ order: 'O-17', amount: 20 }, 'value-differs', /'O-17', and 'o-17' is waited for: they differ in case/],
    [{ order: 'o-17 ', amount: 20 }, 'value-differs', /white space/],
    [{ order: 'o-71', amount: 20 }, 'value-differs', /nearly the same/],
  ]
  for (const [value] of misses) await given.produce('payments', 'any', value)
  for (let other = 0; other < 20; other++)
    await given.produce('payments', 'any', { order: `zzz${other}yyy`, amount: 20 })
  const { nearMisses } = (await explained(given)).tasks[0]?.listener ?? {}
  assert.ok(nearMisses !== undefined)
  assert.deepEqual([nearMisses.recordsLookedAt, nearMisses.others, nearMisses.items.length], [25, 20, 5])
  for (const [, reason, words] of misses)
    assert.ok(
      nearMisses.items.some((each) => each.reason === reason && words.test(each.message)),
      `${reason}: ${JSON.stringify(nearMisses.items)}`,
    )
  assert.match(nearMisses.items[0]?.reason ?? '', /^where-/)
  assert.equal(nearMisses.items[4]?.found, 'o-71')
})

test('a record that fits and went to a listener that waited longer is told with the instance that has it', async () => {
  const given = await startMemoryWorker(order.replace('instance: instance.key', 'instance: "\'all\'"'))
  for (const id of ['a', 'b']) {
    await given.produce('orders', 'k', { id })
    await given.until(async () => (await given.worker.instances.findByKey('order', id)) !== undefined, id)
  }
  await given.produce('payments', 'any', { order: 'all', amount: 20 })
  const statusOf = async (key: string) => (await given.worker.instances.findByKey('order', key))?.status
  await given.until(async () => (await statusOf('a')) === 'COMPLETED', 'the first one takes it')
  const first = await given.worker.instances.findByKey('order', 'a')
  const [miss] = (await explained(given, 'b')).tasks[0]?.listener?.nearMisses.items ?? []
  assert.equal(miss?.reason, 'taken-by-another')
  assert.equal(miss.takenBy, first?.id)
})

test('a record that came too early to be kept so long is told so', async () => {
  const given = await startMemoryWorker(order)
  await given.produce('payments', 'any', { order: 'o-17', amount: 20 })
  await given.until(async () => (await given.worker.lists.kept({ limit: 10 })).items.length === 1, 'it is kept')
  given.clock.advance(3_600_001)
  await given.until(async () => (await given.worker.lists.kept({ limit: 10 })).items.length === 0, 'it is gone')
  await given.produce('orders', 'k', { id: 'o-17' })
  await given.until(async () => (await given.worker.instances.findByKey('order', 'o-17')) !== undefined, 'it started')
  const [miss] = (await explained(given)).tasks[0]?.listener?.nearMisses.items ?? []
  assert.equal(miss?.reason, 'too-early')
  assert.match(miss.message, /kept for 3600 s, and the wait began 36\d\d s after it/)
})

test('a handler is explained by its run, an incident by what helps, a retry by when', async () => {
  const given = await startMemoryWorker(
    `
workflow: order
start: [{ topic: orders, from: earliest, key: "\${ message.value.id }" }]
tasks:
  - { name: slow, type: slow, dependsOn: [] }
  - { name: broken, type: broken, dependsOn: [], retry: { maxAttempts: 1 } }
  - { name: again, type: broken, dependsOn: [], retry: { maxAttempts: 3, initialInterval: 1h } }
`,
    {
      handlers: [
        { name: 'slow', concurrency: 1, run: ({ heartbeat }) => (heartbeat('half'), new Promise(() => {})) },
        { name: 'broken', run: () => Promise.reject(Object.assign(new Error('no'), { code: 'x-1' })) },
      ],
    },
  )
  for (const id of ['a', 'b']) {
    await given.produce('orders', 'k', { id })
    const at = async () => (await given.worker.instances.findByKey('order', id))?.incidents === 1
    await given.until(at, 'it has an incident')
  }
  const a = await explained(given, 'a')
  const b = await explained(given, 'b')
  assert.match(a.summary, /waits for a person at broken/)
  assert.deepEqual(
    a.tasks.map(({ task, kind }) => [task, kind]),
    [
      ['broken', 'incident'],
      ['slow', 'handler'],
      ['again', 'retry'],
    ],
  )
  assert.deepEqual(a.tasks[0]?.error, { code: 'x-1', message: 'no' })
  assert.deepEqual(
    a.tasks[0]?.help.map(({ action, task }) => [action, task]),
    [
      ['retry', 'broken'],
      ['skip', 'broken'],
      ['complete', 'broken'],
    ],
  )
  const { heardAt, ...slow } = a.tasks[1]?.handler ?? {}
  assert.ok(heardAt !== undefined)
  assert.deepEqual(slow, {
    handler: 'slow',
    worker: 'w1',
    state: 'running',
    run: 1,
    slotsBusy: 1,
    slots: 8,
    concurrency: 1,
    progress: 'half',
  })
  assert.equal(a.tasks[2]?.afterwards, 'attempt 2 begins')
  const waiting = b.tasks.find(({ task }) => task === 'slow')
  assert.deepEqual([waiting?.kind, waiting?.handler?.state, waiting?.handler?.behind], ['slot', 'waiting', 0])
})

test('an instance that is suspended is explained by what it collected', async () => {
  const given = await shop()
  const { id } = (await given.worker.instances.findByKey('order', 'o-17')) ?? { id: '' }
  await answered(given, given.worker.instances.operate(id, { kind: 'suspend' }, 'ann'))
  await given.produce('payments', 'any', { order: 'o-17', amount: 20 })
  await given.until(async () => (await explained(given)).collected?.['record'] === 1, 'the record is collected')
  const { summary, help } = await explained(given)
  assert.match(summary, /is suspended/)
  assert.deepEqual(
    help.map(({ action }) => action),
    ['resume'],
  )
})

test('a record that started an instance, one that was not wanted, and one that was refused, are told apart', async () => {
  const given = await shop()
  await given.produce('orders', 'k', { id: 'o-2', kind: 'draft' })
  await given.produce('orders', 'k', { id: 7 })
  await given.produce('orders', 'k', { id: 'o-17', note: 'again' })
  await given.produce('orders', 'k', { kind: 'nothing' })
  const instance = await given.worker.instances.findByKey('order', 'o-17')

  const started = onlyUse(await recordExplained(given, 'orders', ({ id, note }) => id === 'o-17' && note === undefined))
  assert.deepEqual([started.outcome, started.value, started.instances], ['started', 'o-17', [instance?.id]])

  const again = onlyUse(await recordExplained(given, 'orders', ({ note }) => note === 'again'))
  assert.deepEqual([again.outcome, again.instances], ['ignored', [instance?.id]])
  assert.match(again.message, /onRunning: ignore/)

  const draft = onlyUse(await recordExplained(given, 'orders', ({ kind }) => kind === 'draft'))
  assert.deepEqual(
    [draft.outcome, draft.message],
    ['not-wanted', "when: message.value.?kind.orValue('') != 'draft' gives false"],
  )

  const refused = await recordExplained(given, 'orders', ({ id }) => id === 7)
  assert.deepEqual(
    refused.letters.map(({ reason }) => reason),
    ['input-invalid'],
  )
  assert.equal(onlyUse(refused).outcome, 'refused')

  const broken = await recordExplained(given, 'orders', ({ kind }) => kind === 'nothing')
  assert.equal(onlyUse(broken).outcome, 'failed')
  assert.match(broken.summary, /is a dead letter/)
})

test('an input that does not fit is told with every violation, and with its letter', async () => {
  const given = await startMemoryWorker(
    order
      .replace("when: message.value.?kind.orValue('') != 'draft'", 'when: "true"')
      .replace('key: "${ message.value.id }"', ''),
  )
  await given.produce('orders', 'k-1', { id: 7 })
  const refused = await recordExplained(given, 'orders', ({ id }) => id === 7)
  const use = onlyUse(refused)
  assert.deepEqual([use.outcome, use.value], ['refused', 'k-1'])
  assert.deepEqual(use.violations, [{ pointer: '/id', message: 'must be string' }])
  assert.deepEqual(
    refused.letters.map(({ reason, workflows }) => [reason, workflows]),
    [['input-invalid', ['order']]],
  )
})

test('a record for listeners is told as taken, kept, or not taken, with the value and who waits', async () => {
  const given = await shop()
  const instance = await given.worker.instances.findByKey('order', 'o-17')
  await given.produce('payments', 'any', { order: 'o-17', amount: 3 })
  await given.produce('payments', 'any', { order: 'o-18', amount: 30 })
  const little = onlyUse(await recordExplained(given, 'payments', ({ amount }) => amount === 3))
  // Kept for whoever comes: the listener that waits does not want it.
  assert.deepEqual([little.outcome, little.value], ['kept', 'o-17'])
  assert.match(little.message, /waits for 'o-17': where: message\.value\.amount > 10 gives false/)
  const early = onlyUse(await recordExplained(given, 'payments', ({ amount }) => amount === 30))
  assert.deepEqual([early.outcome, early.instances], ['kept', []])
  await given.produce('payments', 'any', { order: 'o-17', amount: 40 })
  const isOver = async () => (await given.worker.instances.findByKey('order', 'o-17'))?.status === 'COMPLETED'
  await given.until(isOver, 'it is paid')
  const taken = onlyUse(await recordExplained(given, 'payments', ({ amount }) => amount === 40))
  assert.deepEqual([taken.outcome, taken.instances], ['taken', [instance?.id]])
})

test('what is not there, or nobody reads, is said so', async () => {
  const given = await shop()
  const { explain } = given.worker
  const notYet = await answered(given, explain.record('orders', 0, 1_000))
  assert.equal(notYet?.state, 'not-yet')
  assert.equal(await answered(given, explain.record('order', 0, 0)), undefined)
  assert.equal(await answered(given, explain.record('orders', 3, 0)), undefined)
  given.broker.createTopic({ name: 'ordres', partitions: 1, cleanup: 'retained' })
  await given.produce('ordres', 'k', { id: 'x' })
  const unread = await answered(given, explain.record('ordres', 0, 0))
  assert.deepEqual([unread?.reading, unread?.suggestion, unread?.uses], ['not-a-source', 'orders', []])
})
