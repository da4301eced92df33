// A broker that is away, and one that refuses: each is told in words, nothing is lost, others go on, and the worker goes
// on by itself when the cause is gone. The broker has an authoriser that allows what nobody denies.
import assert from 'node:assert/strict'
import { after, before, test, type TestContext } from 'node:test'
import { ApiProblem } from '../../src/cli/calls.ts'
import type { WorkerView } from '../../src/runtime/face.ts'
import { hasSettled, Site, type Daemon } from '../support/daemon.ts'
import { allow, createTopicWith, deny } from '../support/kafka/admin.ts'
import { startBroker, type KafkaBroker } from '../support/kafka/broker.ts'
import { pause } from '../support/kafka/kafka-world.ts'

let broker: KafkaBroker
before(async () => {
  broker = await startBroker({
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'true',
  })
})
after(() => broker.dispose())

/** Longer than a request waits for its answer, and than the group's session. */
const awayMs = 20_000
const partitions = 3

/** Sends one command to the topic that its record names, and waits for nothing. */
const notify = (app: string): string => `
workflow: notify
start: [{ topic: ${app}-notes }, { topic: ${app}-more-notes }]
tasks:
  - name: tell
    type: kafka-command
    topic: \${ input.topic }
    value: { text: "\${ input.text }" }
output: \${ instance.key }
`

function siteOf(t: TestContext, app: string, on = broker): { site: Site; flags: readonly string[] } {
  const flags = ['--brokers', on.address, '--app', app, '--partitions', `${partitions}`]
  return { site: Site.of(t, { 'workflows/notify.yaml': notify(app) }), flags }
}

const brokers = (): readonly string[] => [broker.address]
const saying = ({ problems, partitions: views }: WorkerView): string =>
  [...problems, ...views.map(({ reason }) => reason)].join('\n')

/** What the worker tells its operator, once it tells of this. */
const told = (daemon: Daemon, words: RegExp): Promise<true> =>
  daemon.until(
    async () => (words.test(saying(await daemon.health())) ? true : undefined),
    () => daemon.health(),
  )

async function completes(daemon: Daemon, key: string): Promise<void> {
  const instance = await daemon.until(
    async () => {
      // Where its partition does not run it cannot be asked for.
      const found = await daemon.client.findInstanceByKey('notify', key).catch(unlessNotReady)
      return found !== undefined && hasSettled(found) ? found : undefined
    },
    () => daemon.health(),
  )
  assert.deepEqual([instance.status, instance.incidents, instance.output], ['COMPLETED', 0, key])
}

function unlessNotReady(error: unknown): undefined {
  if (!(error instanceof ApiProblem) || error.status !== 503) throw error
}

test('a worker that starts before its broker waits and says so; when the broker goes away it carries on afterwards', async (t) => {
  const { site, flags } = siteOf(t, 'away')
  await broker.stop()
  const daemon = site.launch(...flags)
  await daemon.until(() => Promise.resolve(daemon.log.some(({ msg }) => msg.includes(broker.address)) || undefined))
  await broker.start()
  await daemon.ready()
  await createTopicWith(brokers(), 'away-out', {})
  await daemon.produce('away-notes', 'before', { topic: 'away-out', text: 'x' })
  await completes(daemon, 'before')
  assert.deepEqual((await daemon.health()).problems, [])

  await broker.kill()
  const lost = daemon.client.produce('away-notes', [{ key: 'meanwhile', value: {} }])
  await assert.rejects(lost, { status: 503 })
  await told(daemon, new RegExp(`Kafka cannot be reached at ${broker.address}`))
  await pause(awayMs)
  assert.ok(daemon.isRunning)
  await broker.start()
  await daemon.until(async () => ((await daemon.health()).isReady ? true : undefined))
  await daemon.produce('away-notes', 'after', { topic: 'away-out', text: 'x' })
  await completes(daemon, 'after')
  const sent = (await daemon.records('away-out')).map(({ key }) => key)
  assert.deepEqual(sent, ['before', 'after'])
  await daemon.until(async () => ((await daemon.health()).problems.length === 0 ? true : undefined))
})

test('a command that the broker refuses is an incident of its instance, with the reason; the others go on', async (t) => {
  const { site, flags } = siteOf(t, 'refuse')
  const daemon = await site.start(...flags)
  await createTopicWith(brokers(), 'refuse-out', {})
  await createTopicWith(brokers(), 'refuse-small', { 'max.message.bytes': '1000' })
  await createTopicWith(brokers(), 'refuse-secret', {})
  await deny(brokers(), 'refuse-secret', 'WRITE')
  const cases = { missing: 'refuse-missing', large: 'refuse-small', secret: 'refuse-secret' }
  for (const [key, topic] of Object.entries(cases)) {
    await daemon.produce('refuse-notes', key, { topic, text: 'x'.repeat(2_000) })
    await daemon.produce('refuse-notes', `beside-${key}`, { topic: 'refuse-out', text: 'x' })
  }
  for (const [key, topic] of Object.entries(cases)) {
    await completes(daemon, `beside-${key}`)
    const { incidents, tasks } = await daemon.instance('notify', key)
    assert.equal(incidents, 1)
    assert.equal(tasks[0]?.error?.code, 'produce-rejected')
    assert.ok(tasks[0]?.error?.message.includes(topic))
  }
  const health = await daemon.health()
  assert.equal(health.isReady, true)
  assert.equal(health.counters['record_dead_lettered'] ?? 0, 0)
})

test('a topic without enough replicas holds its partition up, with the reason, until it has them', async (t) => {
  const first = await startBroker()
  t.after(() => first.dispose())
  const { site, flags } = siteOf(t, 'replicas', first)
  const daemon = await site.start(...flags)
  // After all other topics, which are on the first one alone.
  const second = await startBroker({}, first)
  t.after(() => second.dispose())
  await createTopicWith([first.address], 'replicas-out', { 'min.insync.replicas': '2' }, 2)
  await second.kill()
  await daemon.produce('replicas-notes', 'n', { topic: 'replicas-out', text: 'x' })
  await told(daemon, /NOT_ENOUGH_REPLICAS/)
  await second.start()
  await completes(daemon, 'n')
  assert.equal((await daemon.records('replicas-out')).length, 1)
})

test('a source topic that may not be read any more holds up nothing else, and is read on when it may', async (t) => {
  const { site, flags } = siteOf(t, 'source')
  const daemon = await site.start(...flags)
  await createTopicWith(brokers(), 'source-out', {})
  await deny(brokers(), 'source-notes', 'READ')
  await daemon.produce('source-notes', 'unread', { topic: 'source-out', text: 'x' })
  await told(daemon, /source-notes.*TOPIC_AUTHORIZATION_FAILED/)
  await daemon.produce('source-more-notes', 'beside', { topic: 'source-out', text: 'x' })
  await completes(daemon, 'beside')
  assert.equal((await daemon.health()).isReady, true)
  await allow(brokers(), 'source-notes', 'READ')
  await completes(daemon, 'unread')
})

for (const own of ['changelog', 'inbox'] as const) {
  test(`the application's ${own} that may not be written stops no partition for good, and costs no record`, async (t) => {
    const app = `own-${own}`
    const { site, flags } = siteOf(t, app)
    const daemon = await site.start(...flags)
    await createTopicWith(brokers(), `${app}-out`, {})
    await deny(brokers(), `${app}.${own}`, 'WRITE')
    // Two partitions on: the start is a command to another partition.
    const keys = ['a', 'b', 'c', 'd']
    for (const [i, key] of keys.entries())
      await daemon.produce(`${app}-notes`, key, { topic: `${app}-out`, text: 'x' }, i % partitions)
    await told(daemon, new RegExp(`${app}\\.${own}.*TOPIC_AUTHORIZATION_FAILED`))
    await allow(brokers(), `${app}.${own}`, 'WRITE')
    for (const key of keys) await completes(daemon, key)
    assert.equal((await daemon.records(`${app}-out`)).length, keys.length)
    assert.equal((await daemon.records(`${app}.dead-letter`)).length, 0)
  })
}
