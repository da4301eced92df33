import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TransientFault } from '../../src/base/errors.ts'
import { greetingWorkflow as workflow, startMemoryWorker } from '../support/worker.ts'

/** Plants a bug of ours: a template that throws what no decision expects, on one record, so many times. */
function plantBug(
  worker: Awaited<ReturnType<typeof startMemoryWorker>>['worker'],
  version: string,
  poison: string,
  bug: Error = new TypeError('a planted bug'),
  times = Infinity,
): void {
  const task = worker.definitions.catalogue.find(version)?.tasks[0]
  assert.ok(task?.type === 'kafka-command')
  const { value } = task
  const evaluate = value.evaluate.bind(value)
  let left = times
  Object.assign(task, {
    value: {
      uses: value.uses,
      isConstant: false,
      evaluate(roots: Parameters<typeof evaluate>[0]) {
        if ((roots.input as { name: string }).name === poison && left-- > 0) throw bug
        return evaluate(roots)
      },
    },
  })
}

test('a record that trips a bug of ours goes to the dead-letter topic once, and the others of its batch go on', async () => {
  const memory = await startMemoryWorker(workflow, { partitions: 1 })
  const { worker } = memory
  plantBug(worker, worker.view().workflows[0]?.version ?? '', 'poison')
  for (const name of ['a', 'b', 'poison', 'c', 'd']) await memory.produce('greetings', name, { name })
  await memory.until(() => memory.values('said').length === 4, 'the good ones are said')
  assert.deepEqual(memory.values('said'), [{ name: 'a' }, { name: 'b' }, { name: 'c' }, { name: 'd' }])
  await memory.until(() => memory.values('test.dead-letter').length > 0, 'the poison is set aside')
  assert.deepEqual(memory.values('test.dead-letter'), [{ name: 'poison' }])
  const [letter] = memory.broker.fetch('test.dead-letter', 0, 0, 10).records
  const reason = letter?.headers.find(({ key }) => key === 'dw-reason')
  assert.equal(Buffer.from(reason?.value ?? '').toString(), 'engine')
  assert.equal(worker.view().isReady, true)
  assert.equal(worker.view().counters['engine_faults'], 1)
})

test('a disk that cannot be read while a batch is decided is no fault of its records: they are decided again', async () => {
  const memory = await startMemoryWorker(workflow, { partitions: 1 })
  const unreadable = new TransientFault('the store cannot be read now')
  plantBug(memory.worker, memory.worker.view().workflows[0]?.version ?? '', 'b', unreadable, 3)
  for (const name of ['a', 'b', 'c']) await memory.produce('greetings', name, { name })
  await memory.until(() => memory.values('said').length === 3, 'all are said')
  assert.deepEqual(memory.values('said'), [{ name: 'a' }, { name: 'b' }, { name: 'c' }])
  assert.deepEqual(memory.values('test.dead-letter'), [])
  assert.equal(memory.worker.view().counters['engine_faults'] ?? 0, 0)
})

test('a bug that strikes even when its record is set aside stops its partition and not the worker', async () => {
  const memory = await startMemoryWorker(workflow, { partitions: 2 })
  // The dead-letter topic takes nothing of any size: what cannot be processed cannot be set aside either.
  memory.broker.deleteTopic('test.dead-letter')
  memory.broker.createTopic({ name: 'test.dead-letter', partitions: 2, cleanup: 'retained', recordBytesMax: 10 })
  plantBug(memory.worker, memory.worker.view().workflows[0]?.version ?? '', 'poison')
  await memory.produce('greetings', 'poison', { name: 'poison' })
  await memory.until(
    () => memory.worker.view().partitions.some(({ phase }) => phase === 'stopped'),
    'one partition stops',
  )
  const { partitions, isReady, problems } = memory.worker.view()
  assert.deepEqual(partitions.map(({ phase }) => phase).sort(), ['running', 'stopped'])
  assert.equal(isReady, false)
  assert.equal(problems.length, 1)
})

test('a command that the log refuses fails its task with `produce-rejected`, and the batch goes on without it', async () => {
  const memory = await startMemoryWorker(
    workflow.replace('topic: said', `topic: "\${ input.name == 'lost' ? 'no-such-topic' : 'said' }"`),
    { partitions: 1 },
  )
  memory.broker.createTopic({ name: 'said', partitions: 1, cleanup: 'retained' })
  for (const name of ['a', 'lost', 'b']) await memory.produce('greetings', name, { name })
  await memory.until(() => memory.values('said').length === 2, 'the others are said')
  let view = await memory.worker.instances.findByKey('greeting', 'lost')
  await memory.until(async () => {
    view = await memory.worker.instances.findByKey('greeting', 'lost')
    return view?.incidents === 1
  }, 'the refused one has an incident')
  assert.equal(view?.tasks[0]?.status, 'FAILED')
  assert.equal(view?.tasks[0]?.error?.code, 'produce-rejected')
})

test("a dead-letter topic that is not there is nobody's fault: the partition says so, and goes on when it is back", async () => {
  const memory = await startMemoryWorker(workflow, { partitions: 1 })
  memory.broker.deleteTopic('test.dead-letter')
  await memory.produce('greetings', 'bad', 'no object, so there is no name in it')
  await memory.produce('greetings', 'good', { name: 'good' })
  plantBug(memory.worker, memory.worker.view().workflows[0]?.version ?? '', 'poison')
  await memory.produce('greetings', 'poison', { name: 'poison' })
  await memory.until(() => memory.worker.view().partitions[0]?.reason !== undefined, 'it says why it does not run')
  assert.match(memory.worker.view().partitions[0]?.reason ?? '', /test\.dead-letter/)
  memory.broker.createTopic({ name: 'test.dead-letter', partitions: 1, cleanup: 'retained' })
  await memory.until(() => memory.values('test.dead-letter').length > 0, 'it goes on')
  await memory.until(() => memory.values('said').length === 1, 'the good one is said')
})
