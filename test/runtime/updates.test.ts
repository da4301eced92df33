import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Update } from '../../src/records/update.ts'
import type { Action } from '../../src/runtime/face.ts'
import { assertPublished } from '../support/update-schemas.ts'
import { greetingWorkflow, startMemoryWorker } from '../support/worker.ts'

type Memory = Awaited<ReturnType<typeof startMemoryWorker>>

const topic = 'test.updates'
const updatesIn = (memory: Memory): Update[] => memory.values(topic) as Update[]
const kindOf = ({ type, data }: Update): string => [type.slice('dagger-worker.'.length), data.task].join(' ').trim()

/** Waits for an instance to come to an end, or to an incident. */
async function untilSettled(memory: Memory, key: string, workflow = 'w') {
  await memory.until(async () => {
    const found = await memory.worker.instances.findByKey(workflow, key)
    return found !== undefined && (found.endedAt !== undefined || found.incidents > 0)
  }, `${key} is settled`)
}

const waiting = `
workflow: w
vars: { seen: none }
tasks:
  - name: each
    type: for-each
    items: \${ input.items }
    tasks:
      - { name: asked, type: signal, signal: go, set: { seen: "\${ output }" } }
  - { name: work, type: set, set: { x: "\${ input.stock }" }, retry: { maxAttempts: 1 }, onFailure: incident }
`

test('nothing is told by default, and there is no topic', async () => {
  const memory = await startMemoryWorker(greetingWorkflow)
  await memory.produce('greetings', 'ann', { name: 'ann' })
  await untilSettled(memory, 'ann', 'greeting')
  assert.equal(memory.broker.findTopic(topic), undefined)
  assert.equal(memory.worker.view().counters['updates_written'], undefined)
})

test('every entry of the timeline is told as a CloudEvent, in the partition of its instance, in its order', async () => {
  const memory = await startMemoryWorker(waiting, { updates: true })
  const { worker, broker } = memory
  await worker.instances.start({ workflow: 'w', key: 'k', input: { items: ['a', 'b'] }, by: 'ann' })
  const id = (await worker.instances.findByKey('w', 'k'))?.id ?? ''
  for (const payload of ['first', 'second'])
    await worker.instances.operate(id, { kind: 'signal', name: 'go', payload }, 'bob')
  await untilSettled(memory, 'k')
  const view = await worker.instances.find(id)
  const partition = Number(id.slice(id.lastIndexOf('-') + 1))
  const { records } = broker.fetch(topic, partition, 0, 100)
  const updates = records.map(({ value }) => JSON.parse(Buffer.from(value ?? []).toString()) as Update)
  assert.ok(view !== undefined && updates.length > 10)
  assert.equal(updatesIn(memory).length, updates.length, 'in no other partition')
  for (const { key, headers } of records) {
    assert.equal(Buffer.from(key ?? []).toString(), id)
    assert.deepEqual(
      headers.map(({ key: name, value }) => [name, Buffer.from(value).toString()]),
      [['content-type', 'application/cloudevents+json']],
    )
  }
  updates.forEach(assertPublished)
  assert.deepEqual(
    updates.map(({ time, data }) => [time, data.task]),
    view.timeline.map(({ at, task }) => [at, task]),
  )
  assert.deepEqual(
    updates.map((update) => [update.id, update.sequence]),
    updates.map((_, index) => [`${id}/${index + 1}`, String(index + 1).padStart(10, '0')]),
  )
  assert.deepEqual(
    updates.filter(({ data }) => data.by !== undefined).map((update) => [kindOf(update), update.data.by]),
    [
      ['instance.started', 'ann'],
      ['instance.operated', 'bob'],
      ['instance.operated', 'bob'],
    ],
  )
  const [started] = updates
  assert.equal(started?.source, 'urn:dagger-worker:test')
  assert.deepEqual(started?.data, {
    ...{ instance: id, workflow: 'w', version: view.version, key: 'k', status: 'EXECUTING', incidents: 0 },
    ...{ origin: 'api by ann', inputBytes: 19, by: 'ann' },
  })
  const failed = updates.at(-1)
  assert.equal(failed?.type, 'dagger-worker.task.failed')
  assert.equal(failed.data.error?.code, 'expression')
  assert.deepEqual([failed.data.incident, failed.data.incidents, failed.data.status], [true, 1, 'FAILED'])
  assert.ok(updates.map(kindOf).includes('task.completed each[1].asked'))
  // No payload, and no value of a variable.
  for (const text of ['first', 'second', 'none', '"a"']) assert.ok(!JSON.stringify(updates).includes(text), text)
  assert.equal(memory.worker.view().counters['updates_written'], updates.length)
})

test('a workflow’s own `updates` wins over that of the application, and the topic is there once it is asked for', async () => {
  const both = (own: boolean): string => `${greetingWorkflow}updates: ${own}\n---\n${waiting}`
  for (const byDefault of [true, false]) {
    const memory = await startMemoryWorker(both(!byDefault), { updates: byDefault })
    await memory.produce('greetings', 'ann', { name: 'ann' })
    await memory.worker.instances.start({ workflow: 'w', key: 'k', input: { items: [] } })
    await untilSettled(memory, 'ann', 'greeting')
    await untilSettled(memory, 'k')
    assert.deepEqual(
      [...new Set(updatesIn(memory).map(({ data }) => data.workflow))],
      [byDefault ? 'w' : 'greeting'],
      `by default ${byDefault}`,
    )
    assert.equal(memory.broker.findTopic(topic)?.partitions, 3)
  }
})

test('the numbers of an instance go on where another worker takes over', async () => {
  const first = await startMemoryWorker(waiting, { updates: true })
  await first.worker.instances.start({ workflow: 'w', key: 'k', input: { items: ['a'] } })
  await first.worker.stop()
  const before = updatesIn(first).length
  const second = await startMemoryWorker(waiting, { updates: true, after: first })
  const id = (await second.worker.instances.findByKey('w', 'k'))?.id ?? ''
  await second.worker.instances.operate(id, { kind: 'signal', name: 'go', payload: null }, 'api')
  await untilSettled(second, 'k')
  const all = updatesIn(second)
  assert.ok(before > 0 && all.length > before)
  assert.deepEqual(
    all.map(({ sequence }) => Number(sequence)),
    all.map((_, index) => index + 1),
  )
})

test('an instance that has forgotten the oldest of its timeline goes on counting', async () => {
  const memory = await startMemoryWorker(waiting, { updates: true })
  const items = Array.from({ length: 120 }, (_, index) => index)
  await memory.worker.instances.start({ workflow: 'w', key: 'k', input: { items } })
  const id = (await memory.worker.instances.findByKey('w', 'k'))?.id ?? ''
  for (const _ of items) await memory.worker.instances.operate(id, { kind: 'signal', name: 'go', payload: null }, 'api')
  await untilSettled(memory, 'k')
  const view = await memory.worker.instances.find(id)
  const all = updatesIn(memory)
  assert.ok(view !== undefined && view.timelineDropped > 0)
  assert.equal(all.length, view.timelineDropped + view.timeline.length)
  assert.deepEqual(
    all.map(({ sequence }) => Number(sequence)),
    all.map((_, index) => index + 1),
  )
})

suite('a topic of updates that refuses them', () => {
  for (const [what, spoil] of [
    ['is too small', { partitions: 1, recordBytesMax: 10 }],
    ['has too few partitions', { partitions: 0 }],
    ['is gone', undefined],
  ] as const) {
    test(`${what}: holds nothing up, is told, and is tried again`, async () => {
      const memory = await startMemoryWorker(waiting, { updates: true, partitions: 1 })
      const { worker, broker } = memory
      broker.deleteTopic(topic)
      if (spoil !== undefined) broker.createTopic({ name: topic, cleanup: 'retained', ...spoil })
      await worker.instances.start({ workflow: 'w', key: 'k', input: { items: [1] } })
      const id = (await worker.instances.findByKey('w', 'k'))?.id ?? ''
      const { partitions, problems, counters } = worker.view()
      assert.deepEqual(
        partitions.map(({ phase }) => phase),
        ['running'],
      )
      assert.match(problems.join(), /test\.updates takes no updates of partition 0/)
      const { timeline } = (await worker.instances.find(id)) ?? { timeline: [] }
      assert.equal(counters['updates_held_back'], timeline.length)
      if (spoil !== undefined) broker.deleteTopic(topic)
      broker.createTopic({ name: topic, partitions: 1, cleanup: 'retained' })
      memory.clock.advance(31_000)
      await worker.instances.operate(id, { kind: 'signal', name: 'go', payload: null }, 'api')
      await untilSettled(memory, 'k')
      // The gap shows in the numbers.
      assert.equal(Number(updatesIn(memory)[0]?.sequence), timeline.length + 1)
    })
  }
})

suite('callbacks', () => {
  test('are told of everything once it is committed, in order, whatever goes to the topic and whatever they throw', async () => {
    const heard: string[] = []
    const statuses: (string | undefined)[] = []
    const memory = await startMemoryWorker(waiting, {
      partitions: 1,
      onUpdate: [
        () => {
          throw new Error('the callback is broken')
        },
        () => Promise.reject(new Error('and so is what it promised')),
        async (update: Update) => {
          assertPublished(update)
          heard.push(kindOf(update))
          // What it is told of is there.
          statuses.push((await memory.worker.instances.find(update.data.instance))?.status)
        },
      ],
    })
    await memory.worker.instances.start({ workflow: 'w', key: 'k', input: { items: [] } })
    await untilSettled(memory, 'k')
    assert.equal(memory.broker.findTopic(topic), undefined)
    const view = await memory.worker.instances.findByKey('w', 'k')
    assert.deepEqual(
      heard.map((each) => each.split(' ')[1]),
      view?.timeline.map(({ task }) => task),
    )
    assert.deepEqual([...new Set(statuses)], ['EXECUTING'])
    assert.deepEqual(memory.worker.view().partitions[0]?.phase, 'running')
  })
})

suite('who did what is in the timeline and in the updates', () => {
  const task = `
workflow: w
tasks:
  - { name: asked, type: signal, signal: go }
  - { name: lost, type: set, set: { x: "\${ input.stock }" }, retry: { maxAttempts: 1 }, onFailure: incident }
`
  const go: Action = { kind: 'signal', name: 'go', payload: null }
  const cases: readonly (readonly [Action, ...Action[]])[] = [
    [go],
    [{ kind: 'suspend' }],
    [{ kind: 'resume' }, { kind: 'suspend' }],
    [{ kind: 'stop', reason: 'enough' }],
    [{ kind: 'fail', reason: 'enough' }],
    [{ kind: 'retry', task: 'lost', input: undefined }, go],
    [
      { kind: 'retry', task: undefined, input: undefined },
      { kind: 'fail', reason: 'enough' },
    ],
    [{ kind: 'skip', task: 'asked' }],
    [{ kind: 'complete', task: 'asked', output: 1 }],
    [{ kind: 'set', vars: { x: 1 } }],
  ]
  for (const [action, ...before] of cases) {
    const after = before.map(({ kind }) => ` after ${kind}`).join()
    test(`${action.kind}${after}`, async () => {
      const memory = await startMemoryWorker(task, { updates: true, partitions: 1 })
      const { worker } = memory
      await worker.instances.start({ workflow: 'w', key: 'k', input: null })
      const id = (await worker.instances.findByKey('w', 'k'))?.id ?? ''
      for (const each of before)
        assert.deepEqual(await worker.instances.operate(id, each, 'somebody'), { outcome: 'done' })
      assert.deepEqual(await worker.instances.operate(id, action, 'ann'), { outcome: 'done' })
      const view = await worker.instances.find(id)
      const notes = view?.timeline.filter(({ note = '' }) => note.includes('by ann')) ?? []
      assert.equal(notes.length, 1, JSON.stringify(view?.timeline))
      const told = updatesIn(memory).filter(({ data }) => data.by === 'ann')
      assert.deepEqual(
        told.map(({ time, data }) => [time, data.note]),
        notes.map(({ at, note }) => [at, note]),
      )
      updatesIn(memory).forEach(assertPublished)
    })
  }

  test('a start, and one that waited for its turn', async () => {
    const memory = await startMemoryWorker(`${task}onRunning: queue\n`, { updates: true, partitions: 1 })
    const { worker } = memory
    const start = { workflow: 'w', key: 'k', input: null }
    await worker.instances.start({ ...start, by: 'ann' })
    const id = (await worker.instances.findByKey('w', 'k'))?.id ?? ''
    assert.equal((await worker.instances.start({ ...start, by: 'bob' })).outcome, 'queued')
    await worker.stop()
    const next = await startMemoryWorker(`${task}onRunning: queue\n`, { updates: true, partitions: 1, after: memory })
    await next.worker.instances.operate(id, { kind: 'stop', reason: 'enough' }, 'api')
    await next.until(async () => (await next.worker.instances.findByKey('w', 'k'))?.id !== id, 'the next one begins')
    const started = updatesIn(next).filter(({ type }) => type === 'dagger-worker.instance.started')
    assert.deepEqual(
      started.map(({ data }) => [data.by, data.origin]),
      [
        ['ann', 'api by ann'],
        ['bob', 'api by bob'],
      ],
    )
  })
})
