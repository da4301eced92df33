// The data directory on Kafka is a cache of the changelog: it can be lost, old or somebody else's, and nothing is lost,
// doubled or mixed. Only where it knows more than the changelog does it count for more: then the worker refuses.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { WorkerView } from '../../src/runtime/face.ts'
import { type Daemon, Site } from '../support/daemon.ts'
import { startBroker, type KafkaBroker } from '../support/kafka/broker.ts'
import { deleteTopic, openLog } from '../support/kafka/kafka-world.ts'
import { audit, orderFile } from './audit.ts'
import { KafkaDoor } from './kafka-door.ts'
import { kafkaEvidence, storesIn } from './kafka-evidence.ts'
import { orderId } from './shop.ts'

let broker: KafkaBroker
before(async () => {
  // Of its own: topics have the names that the order workflow gives them, and one is deleted.
  broker = await startBroker()
})
after(() => broker.dispose())

const partitions = 4
const flagsOf = (app: string) => ['--brokers', broker.address, '--app', app, '--partitions', `${partitions}`]

const ids = Array.from({ length: 40 }, (_, i) => orderId(i))
const answers = {
  orders: (id: string) => ({ orderId: id, amount: 1 }),
  'payment-events': (id: string) => ({ orderId: id, status: 'paid' }),
  'warehouse-events': (id: string) => ({ orderId: id, tracking: `T-${id}` }),
}

test('a data directory that was deleted, or replaced by an older copy, loses nothing and doubles nothing', async (t) => {
  const app = 'shop'
  const site = Site.of(t, { 'workflows/order.yaml': readFileSync(orderFile, 'utf8') })
  const data = join(site.directory, 'data')
  const log = await openLog([broker.address])
  t.after(() => log.close())
  const door = new KafkaDoor(log)
  const acknowledged = { orders: new Map(), 'payment-events': new Map(), 'warehouse-events': new Map() }
  const send = async (topic: keyof typeof answers, some: readonly string[]): Promise<void> => {
    const places = await door.send(
      topic,
      some.map((key) => ({ key, value: answers[topic](key) })),
    )
    for (const [index, id] of some.entries()) acknowledged[topic].set(id, places?.[index])
  }
  const waitFor = (daemon: Daemon, task: string, count: number): Promise<true> =>
    daemon.until(async () => {
      const { items } = await daemon.client.listInstances({ status: 'EXECUTING', limit: 100 })
      return items.filter(({ waitingAt }) => waitingAt.includes(task)).length === count ? true : undefined
    })
  /** Starts the daemon over the directory as `change` leaves it; what it has afterwards equals the changelog. */
  const withDirectory = async (change: () => void, work: (daemon: Daemon) => Promise<void>): Promise<void> => {
    change()
    const daemon = await site.start(...flagsOf(app))
    await work(daemon)
    assert.equal(await daemon.stop(), 0)
  }
  const copyTo = (name: string): void => cpSync(data, join(site.directory, name), { recursive: true })
  const replaceBy = (name: string): void => {
    rmSync(data, { recursive: true })
    cpSync(join(site.directory, name), data, { recursive: true })
  }

  await withDirectory(
    () => {},
    async (daemon) => {
      await send('orders', ids)
      await waitFor(daemon, 'charged', 40)
      await send('payment-events', ids.slice(0, 10))
      await waitFor(daemon, 'shipped', 10)
      // LevelDB writes into it meanwhile: a copy as careless people make them.
      copyTo('while-running')
      await send('payment-events', ids.slice(10, 20))
      await waitFor(daemon, 'shipped', 20)
    },
  )
  copyTo('after-a-stop')
  await withDirectory(
    () => rmSync(data, { recursive: true }),
    async (daemon) => {
      await send('payment-events', ids.slice(20, 30))
      await waitFor(daemon, 'shipped', 30)
    },
  )
  await withDirectory(
    () => replaceBy('while-running'),
    async (daemon) => {
      await waitFor(daemon, 'shipped', 30)
      await send('payment-events', ids.slice(30))
      await waitFor(daemon, 'shipped', 40)
    },
  )
  await withDirectory(
    () => replaceBy('after-a-stop'),
    async (daemon) => {
      await send('warehouse-events', ids)
      await waitFor(daemon, 'shipped', 0)
      assert.equal(await daemon.counter('alarms'), 0)
    },
  )
  const stores = await storesIn(data, app)
  assert.equal(stores.length, partitions)
  const { evidence, violations } = await kafkaEvidence({ brokers: [broker.address], app, partitions, stores })
  assert.deepEqual([...violations, ...audit(evidence, { orders: ids, acknowledged })], [])
})

const notes = (app: string): string => `
workflow: notes
start: [{ topic: ${app}-notes }]
tasks: [{ name: wait, type: kafka-listener, topic: ${app}-answers, correlate: { message: message.key, instance: instance.key } }]
output: ${app}
`
const isRunning = ({ partitions: views }: WorkerView): boolean => views.every(({ phase }) => phase === 'running')

test('two applications over one data directory do not mix, and a store under the name of another is refused', async (t) => {
  const site = Site.of(t)
  const data = join(site.directory, 'data')
  for (const app of ['left', 'right']) {
    site.write('workflows/notes.yaml', notes(app))
    const daemon = await site.start(...flagsOf(app))
    await daemon.produce(`${app}-notes`, 'n', {})
    await daemon.instance('notes', 'n', ({ waitingAt }) => waitingAt.includes('wait'))
    await daemon.produce(`${app}-answers`, 'n', {})
    assert.equal((await daemon.instance('notes', 'n')).output, app)
    await daemon.stop()
  }
  const before = await storesIn(data, 'right')
  rmSync(join(data, 'worker-1', 'left'), { recursive: true })
  renameSync(join(data, 'worker-1', 'right'), join(data, 'worker-1', 'left'))

  site.write('workflows/notes.yaml', notes('left'))
  const refused = await site.start(...flagsOf('left'))
  const health = await refused.health()
  assert.equal(health.isReady, false)
  assert.deepEqual([...new Set(health.partitions.map(({ phase }) => phase))], ['stopped'])
  for (const { reason } of health.partitions) assert.match(reason ?? '', /^DW_STORE_OF_ANOTHER: /)
  await refused.stop()

  mkdirSync(join(data, 'worker-1', 'gone'))
  renameSync(join(data, 'worker-1', 'left'), join(data, 'worker-1', 'right'))
  assert.deepEqual(await storesIn(data, 'right'), before)
  const daemon = await site.start(...flagsOf('left'))
  assert.equal((await daemon.instance('notes', 'n')).output, 'left')
})

test('a changelog that was made anew is refused, the stores are kept, and a person chooses', async (t) => {
  const app = 'anew'
  const site = Site.of(t, { 'workflows/notes.yaml': notes(app) })
  const data = join(site.directory, 'data')
  const first = await site.start(...flagsOf(app))
  await first.produce(`${app}-notes`, 'n', {})
  await first.instance('notes', 'n', ({ waitingAt }) => waitingAt.includes('wait'))
  await first.stop()
  const stores = await storesIn(data, app)
  assert.ok(stores.some(({ values }) => values.size > 2))
  await deleteTopic([broker.address], `${app}.changelog`)

  const refused = await site.start(...flagsOf(app))
  const health = await refused.health()
  assert.equal(health.isReady, false)
  assert.deepEqual([...new Set(health.partitions.map(({ phase }) => phase))], ['stopped'])
  for (const { reason } of health.partitions) assert.match(reason ?? '', /^DW_CHANGELOG_REPLACED: .*data directory/)
  assert.equal(refused.report.problems.length, partitions)
  await refused.stop()
  assert.deepEqual(await storesIn(data, app), stores)

  // One choice of the two that it tells of: a new life without the old state.
  rmSync(data, { recursive: true })
  const empty = await site.start(...flagsOf(app))
  assert.ok(isRunning(await empty.health()))
  assert.equal(await empty.client.findInstanceByKey('notes', 'n'), undefined)
})
