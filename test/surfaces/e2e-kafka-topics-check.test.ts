// `topics describe` and `topics check`: what an operator sees of the topics that an application needs, before it runs.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { Site } from '../support/daemon.ts'
import { createTopicWith } from '../support/kafka/admin.ts'
import { openLog } from '../support/kafka/kafka-world.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()

function siteOf(t: TestContext) {
  const app = `check-${randomUUID().slice(0, 8)}`
  const workflow = `workflow: w\nstart: [{ topic: ${app}-in }]\ntasks:\n  - { name: tell, type: kafka-command, topic: ${app}-out, value: x }\n`
  const site = Site.of(t, { 'workflows/w.yaml': workflow })
  const flags = ['--brokers', brokers().join(','), '--app', app, '--partitions', '2']
  const topics = (command: string, ...more: readonly string[]) => site.type('topics', command, ...flags, ...more)
  return { app, site, flags, topics }
}

interface Difference {
  readonly topic: string
  readonly what: string
  readonly found: string
  readonly cure: string
}

test('what topics create has made is as needed, and a worker without the right to make any starts on it', async (t) => {
  const { app, site, flags, topics } = siteOf(t)
  assert.equal((await topics('create')).code, 0)
  const { code, stdout } = await topics('check')
  assert.deepEqual([code, stdout], [0, '7 topics, all as needed.\n'])
  assert.equal((await topics('check', '--json')).stdout, '[]\n')
  const shown = await topics('describe')
  assert.equal(shown.code, 0)
  assert.match(shown.stdout, new RegExp(`^${app}\\.changelog +2 +1 +compact +1048588 +ok$`, 'm'))
  const [first] = JSON.parse((await topics('describe', '--json')).stdout)
  assert.deepEqual(first, {
    name: `${app}-in`,
    isOwn: false,
    exists: true,
    partitions: 2,
    replicas: 1,
    cleanupPolicy: 'delete',
    maxMessageBytes: 1_048_588,
    differences: [],
  })
  const daemon = await site.start(...flags, '--topics-create', 'false')
  await daemon.produce(`${app}-in`, 'k', {})
  const { status } = await daemon.instance('w', 'k')
  assert.equal(status, 'COMPLETED')
})

test('each difference is told with what to do about it, and ends the check with 1', async (t) => {
  const { app, topics } = siteOf(t)
  const log = await openLog(brokers())
  t.after(() => log.close())
  await log.createTopics([
    { name: `${app}.inbox`, partitions: 3, cleanup: 'unlimited' },
    { name: `${app}.definitions`, partitions: 1, cleanup: 'retained' },
    { name: `${app}.workers`, partitions: 1, cleanup: 'compacted' },
    // Any number will do for these.
    { name: `${app}.dead-letter`, partitions: 7, cleanup: 'retained' },
    { name: `${app}-in`, partitions: 5, cleanup: 'compacted' },
  ])
  await createTopicWith(brokers(), `${app}-out`, { 'min.insync.replicas': '2' })
  await createTopicWith(brokers(), `${app}.changelog`, { 'cleanup.policy': 'compact', 'max.message.bytes': '1000' })

  const { code, stdout } = await topics('check', '--json')
  assert.equal(code, 1)
  const differences: readonly Difference[] = JSON.parse(stdout)
  assert.deepEqual(
    differences.map(({ topic, what, found }) => [topic.slice(app.length), what, found]),
    [
      ['-out', 'replicas', '1'],
      ['.changelog', 'partitions', '1'],
      ['.changelog', 'max.message.bytes', '1000'],
      ['.definitions', 'cleanup.policy', 'delete'],
      ['.inbox', 'partitions', '3'],
    ],
  )
  assert.equal(
    differences.find(({ what }) => what === 'cleanup.policy')?.cure,
    `kafka-configs.sh --alter --entity-type topics --entity-name ${app}.definitions --add-config cleanup.policy=compact`,
  )
  const text = await topics('check')
  assert.equal(text.code, 1)
  assert.match(
    text.stdout,
    new RegExp(`^${app}\\.inbox +partitions: wanted 2, found 3\n +Start workers with --partitions 3`, 'm'),
  )
  assert.match(text.stderr, /4 topics of 7 not as needed/)
  assert.equal((await topics('describe')).code, 0)
})

test('topics that are missing are told, and nothing is made', async (t) => {
  const { app, topics } = siteOf(t)
  for (let times = 0; times < 2; times++) {
    const { code, stdout } = await topics('check')
    assert.equal(code, 1)
    assert.equal(stdout.match(/topic: wanted there, found missing\n +Run `dagger-worker topics create`/g)?.length, 7)
  }
  assert.match((await topics('describe')).stdout, new RegExp(`^${app}\\.inbox +- .*missing$`, 'm'))
})

test('the check says by its exit code that it could not look', async (t) => {
  const { site } = siteOf(t)
  assert.equal((await site.type('topics', 'check')).code, 2, 'no brokers')
  const nobody = await site.type('topics', 'check', '--brokers', '127.0.0.1:1')
  assert.equal(nobody.code, 3)
  assert.match(nobody.stderr, /could not be looked at: .*ECONNREFUSED/)
  site.write('workflows/broken.yaml', 'workflow: [')
  assert.equal((await site.type('topics', 'check', '--brokers', brokers().join(','))).code, 1)
})
