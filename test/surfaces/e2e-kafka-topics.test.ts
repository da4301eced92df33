// `topics create` makes what an application needs before there is a worker, whose rights need not include that then.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Site } from '../support/daemon.ts'
import { openLog } from '../support/kafka/kafka-world.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()
const newApp = (): string => `topics-${randomUUID().slice(0, 8)}`
const workflow = (app: string): string => `
workflow: parcel
start: [{ topic: ${app}-parcels }]
tasks:
  - { name: weigh, type: kafka-command, topic: ${app}-scales, value: x }
  - { name: weighed, type: kafka-listener, topic: ${app}-weights, correlate: { message: message.key, instance: instance.key } }
  - { name: route, type: kafka-command, topic: "\${ input.topic }", value: x }
`

interface Created {
  readonly name: string
  readonly partitions: number
  readonly created: boolean
}

test('topics create makes the topics of the application and of its workflows, and leaves what is there as it is', async (t) => {
  const app = newApp()
  const site = Site.of(t, {
    'workflows/parcel.yaml': workflow(app),
    'config.yaml': `app: ${app}\nbrokers: ${brokers().join(',')}\ntopics: { ${app}-weights: { partitions: 5 } }\n`,
  })
  const log = await openLog(brokers())
  t.after(() => log.close())
  await log.createTopics([{ name: `${app}-scales`, partitions: 7, cleanup: 'retained' }])
  const create = ['topics', 'create', '--config', 'config.yaml', '--partitions', '2']

  const first = await site.type(...create, '--json')
  assert.equal(first.code, 0, first.stderr)
  const topic = (name: string, partitions: number, created = true): Created => ({
    name: app + name,
    partitions,
    created,
  })
  const made = [
    topic('-parcels', 2),
    topic('-scales', 7, false),
    topic('-weights', 5),
    topic('.changelog', 2),
    topic('.dead-letter', 2),
    topic('.definitions', 1),
    topic('.inbox', 2),
    topic('.workers', 1),
  ]
  assert.deepEqual(JSON.parse(first.stdout), made)
  const again = await site.type(...create, '--json')
  assert.deepEqual(
    JSON.parse(again.stdout),
    made.map((one) => ({ ...one, created: false })),
  )
  const { code, stdout } = await site.type(...create)
  assert.equal(code, 0)
  assert.match(stdout, new RegExp(`^was there  ${app}-parcels +2 partitions$`, 'm'))

  const daemon = await site.start('--config', 'config.yaml', '--partitions', '2', '--topics-create', 'false')
  await daemon.produce(`${app}-parcels`, 'p', { topic: `${app}-scales` })
  await daemon.instance('parcel', 'p', ({ waitingAt }) => waitingAt.includes('weighed'))
})

test('start --topics-create false makes no topic: it says what it waits for, and goes on when somebody makes it', async (t) => {
  const app = newApp()
  const site = Site.of(t, { 'workflows/parcel.yaml': workflow(app) })
  const flags = ['--brokers', brokers().join(','), '--app', app, '--partitions', '2']
  const daemon = site.launch(...flags, '--topics-create', 'false')
  await daemon.until(() =>
    Promise.resolve(daemon.log.some(({ msg }) => msg.includes(`${app}.definitions`)) || undefined),
  )
  const log = await openLog(brokers())
  t.after(() => log.close())
  assert.equal((await log.describeTopics([`${app}.definitions`, `${app}.inbox`])).size, 0)
  assert.equal((await site.type('topics', 'create', ...flags)).code, 0)
  await daemon.ready()
  assert.equal((await daemon.health()).isReady, true)
})

test('topics create refuses what it cannot use, and says so by its exit code', async (t) => {
  const app = newApp()
  const site = Site.of(t, { 'workflows/parcel.yaml': workflow(app) })
  const flags = ['--brokers', brokers().join(','), '--app', app]
  assert.equal((await site.type('topics', 'create')).code, 2, 'no brokers')
  assert.equal((await site.type('topics', 'create', '--brokers', '127.0.0.1:1')).code, 3, 'nobody answers')
  assert.equal((await site.type('topics', 'create', ...flags, '--partitions', '3')).code, 0)
  const other = await site.type('topics', 'create', ...flags, '--partitions', '4')
  assert.equal(other.code, 2)
  assert.match(other.stderr, /DW_PARTITIONS_DIFFER/)
  site.write('workflows/broken.yaml', 'workflow: [')
  const broken = await site.type('topics', 'create', ...flags, '--partitions', '3')
  assert.equal(broken.code, 1)
  assert.match(broken.stderr, /DW_YAML/)
})

test('a topic of a workflow that is made later is read from then on', async (t) => {
  const app = newApp()
  const topic = `${app}-later`
  const start = `workflow: later\nstart: [{ topic: ${topic} }]\ntasks:\n  - { name: note, type: set, set: { a: 1 } }\n`
  const site = Site.of(t, { 'prepared/.keep': '', 'workflows/later.yaml': start })
  const flags = ['--brokers', brokers().join(','), '--app', app, '--partitions', '2']
  assert.equal((await site.type('topics', 'create', ...flags, '--workflows', 'prepared')).code, 0)
  const daemon = await site.start(...flags, '--topics-create', 'false')
  assert.ok(daemon.log.some(({ msg }) => msg.includes(`topic ${topic} does not exist`)))
  const log = await openLog(brokers())
  t.after(() => log.close())
  await log.createTopics([{ name: topic, partitions: 3, cleanup: 'retained' }])
  // Where it is read from is its end as it is found: records go on coming.
  const completed = await daemon.until(async () => {
    await daemon.produce(topic, 'k', {})
    return (await daemon.client.findInstanceByKey('later', 'k')) ?? undefined
  })
  assert.equal(completed.key, 'k')
})
