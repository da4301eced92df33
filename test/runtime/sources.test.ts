// What a partition reads when records, or the topic itself, go away under its readers (Q2), and in which order (Q4).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadWorkflows } from '../../src/definition/parse.ts'
import { createMemoryLog } from '../../src/adapters/memory/log.ts'
import { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import { planned, sourcesOf } from '../support/sources.ts'
import { greetingWorkflow as workflow, startMemoryWorker } from '../support/worker.ts'

async function started() {
  const memory = await startMemoryWorker(workflow, { partitions: 1 })
  const names = () => memory.values('said').map((value) => (value as { name: string }).name)
  const greet = async (...given: string[]) => {
    for (const name of given) await memory.produce('greetings', name, { name })
  }
  return { ...memory, names, greet }
}

test('Q2: a topic that is made anew is read from its start, each record once', async () => {
  const { broker, names, greet, until, worker } = await started()
  await greet('a', 'b', 'c')
  await until(() => names().length === 3, 'three are said')
  broker.deleteTopic('greetings')
  broker.createTopic({ name: 'greetings', partitions: 1, cleanup: 'retained' })
  // Before anybody looks there are more than before: an offset of the old topic exists in the new one.
  const recordOf = (name: string) => ({
    timestampMs: 0,
    key: null,
    value: Buffer.from(JSON.stringify({ name })),
    headers: [],
  })
  broker.produce('greetings', 0, ['d', 'e', 'f', 'g', 'h'].map(recordOf))
  await until(() => names().length >= 8, 'those of the new topic are said')
  await greet('i')
  await until(() => names().includes('i'), 'and what comes later')
  assert.deepEqual(names(), ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'])
  assert.equal(worker.view().counters['alarms'], 1)
})

test('Q2: records deleted before they were read raise an alarm once, and those behind them are read', async () => {
  const { broker, names, greet, until, worker } = await started()
  await greet('a')
  await until(() => names().length === 1, 'one is said')
  // In a transaction that is still open nobody has seen them.
  const stranger = broker.initialiseProducer('stranger')
  broker.begin(stranger, [{ topic: 'greetings', partition: 0 }])
  const record = { timestampMs: 0, key: null, value: Buffer.from('{"name":"lost"}'), headers: [] }
  const first = broker.append(stranger, 'greetings', 0, 0, [record, record])
  broker.deleteRecords('greetings', 0, first + 2)
  broker.end(stranger, 'committed')
  await until(() => worker.view().counters['alarms'] === 1, 'an alarm is raised')
  broker.expireTransactionalId('test-0')
  await greet('b')
  await until(() => names().length === 2, 'what comes later is said')
  await greet('c')
  await until(() => names().length === 3, 'and after the partition was opened again')
  assert.deepEqual(names(), ['a', 'b', 'c'])
  assert.equal(worker.view().counters['alarms'], 1)
})

test('a store that is found damaged while topics are looked at is rebuilt, and the new topic is read', async () => {
  const { disk, greet, names, produce, until, worker } = await started()
  await greet('z')
  await until(() => names().length === 1, 'one is said')
  let turns = 0
  await until(() => ++turns > 20, 'the partition has nothing to do')
  disk.corrupt(0)
  const more = workflow.replaceAll('greeting', 'welcome')
  const { byFile } = loadWorkflows([{ file: 'more.yaml', text: more }])
  await worker.publish({ source: 'more', files: byFile })
  await produce('welcomes', 'a', { name: 'a' })
  await until(() => names().length === 2, 'it is said')
})

test('Q4: of a batch, what begins instances gets its share, and what goes on with them the rest', async () => {
  const broker = new MemoryBroker()
  const log = createMemoryLog(broker)
  const topics = ['orders', 'answers', 'quiet']
  for (const name of topics) broker.createTopic({ name, partitions: 1, cleanup: 'retained' })
  const produce = (topic: string, count: number): Promise<unknown> =>
    log.produce(Array.from({ length: count }, () => ({ topic, partition: 0, key: null, value: null, headers: [] })))
  const sources = sourcesOf(broker, { log, isStart: (topic) => topic === 'orders' })
  for (const source of planned(sources, broker, ...topics)) sources.begin(source)
  await produce('orders', 1_000)
  await produce('answers', 300)
  const take = (): { [topic: string]: number } => {
    const counts: { [topic: string]: number } = {}
    for (const { source, records } of sources.take(250))
      counts[source.topic] = (counts[source.topic] ?? 0) + records.length
    return counts
  }
  const until = async (): Promise<{ [topic: string]: number }> => {
    for (;;) {
      const counts = take()
      if (Object.keys(counts).length > 0) return counts
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  assert.deepEqual(await until(), { orders: 32, answers: 218 })
  assert.deepEqual(take(), { orders: 168, answers: 82 })
  assert.deepEqual(take(), { orders: 250 })
})

test('a source whose topic was made anew before its first position was committed opens no reader', () => {
  const broker = new MemoryBroker()
  const log = createMemoryLog(broker)
  const opened: (string | undefined)[] = []
  const sources = sourcesOf(broker, {
    log: {
      ...log,
      openReader: (options) => {
        opened.push(options.topicId)
        return log.openReader(options)
      },
    },
  })
  const plan = () => planned(sources, broker, 'greetings')
  broker.createTopic({ name: 'greetings', partitions: 1, cleanup: 'retained' })
  const first = plan()
  broker.deleteTopic('greetings')
  broker.createTopic({ name: 'greetings', partitions: 1, cleanup: 'retained' })
  const second = plan()
  for (const source of [...first, ...second]) sources.begin(source)
  assert.deepEqual(opened, [broker.findTopic('greetings')!.id])
})
