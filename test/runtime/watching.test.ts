// Who follows an instance, or watches all of them: told with each commit, and not before something has happened.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMemoryWorker } from '../support/worker.ts'

const approval = `
workflow: approval
start: [{ topic: requests, from: earliest, key: "\${ message.value.id }" }]
tasks:
  - { name: wait, type: signal, signal: approved }
`

test('who watches is told of each change by its commit, until it does not watch any more', async () => {
  const { worker, produce, until } = await startMemoryWorker(approval)
  const seen: string[] = []
  const unwatch = worker.instances.watch((changed) => {
    for (const { key, status, waitingAt } of changed) seen.push(`${key} ${status} ${waitingAt.join()}`)
  })
  await produce('requests', 'k', { id: 'a' })
  await until(() => seen.length > 0, 'the start is told')
  assert.deepEqual(seen, ['a EXECUTING wait'])
  const { id } = (await worker.instances.findByKey('approval', 'a')) ?? { id: '' }
  const answers: unknown[] = []
  void worker.instances
    .operate(id, { kind: 'signal', name: 'approved', payload: null }, 'ann')
    .then((answer) => answers.push(answer))
  await until(() => seen.length > 1, 'the end is told')
  assert.equal(seen.at(-1), 'a COMPLETED ')
  unwatch()
  await produce('requests', 'k', { id: 'b' })
  await until(async () => (await worker.instances.findByKey('approval', 'b')) !== undefined, 'another one starts')
  assert.equal(seen.length, 2)
})

test('who follows an instance that is suspended waits for what happens to it, too', async () => {
  const { worker, produce, until, clock } = await startMemoryWorker(approval)
  await produce('requests', 'k', { id: 'a' })
  await until(async () => (await worker.instances.findByKey('approval', 'a')) !== undefined, 'it starts')
  const { id } = (await worker.instances.findByKey('approval', 'a')) ?? { id: '' }
  let isDone = false
  void worker.instances.operate(id, { kind: 'suspend' }, 'ann').then(() => (isDone = true))
  await until(() => isDone, 'it is suspended')
  const view = await worker.instances.find(id)
  assert.equal(view?.status, 'SUSPENDED')
  let isTold = false
  void worker.instances.follow(id, view.timeline.length, 60_000).then(() => (isTold = true))
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  assert.equal(isTold, false)
  clock.advance(60_000)
  await until(() => isTold, 'its time is over')
})
