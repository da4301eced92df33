// The least rights: a broker that allows nothing but what is granted, and the grants are the README's. With them the order
// example runs; with any one of them less, it is said which one.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test, type TestContext } from 'node:test'
import { openKafkaLog } from '../../src/adapters/kafka/log.ts'
import { platformaticClient } from '../../src/adapters/platformatic/client.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { kafkaCredentials } from '../../src/adapters/system/kafka-credentials.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { Site, type Daemon } from '../support/daemon.ts'
import { grant, revoke, rightsOf } from '../support/kafka/acls.ts'
import { openLog, pause } from '../support/kafka/kafka-world.ts'
import { password, startSecuredBroker, user, type SecuredBroker } from '../support/kafka/secured.ts'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const section = /### The least rights\n([^]*?)\n##/.exec(read('README.md'))?.[1] ?? ''
const rights = section.split('\n').flatMap((line) => (line.startsWith('$acls ') ? rightsOf(line.slice(6)) : []))
const principal = 'User:shop'

let kafka: SecuredBroker
let admin: string
before(async () => {
  kafka = await startSecuredBroker({
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'false',
    // Those who come in by the open door: the administrator, and the broker itself.
    'super.users': 'User:ANONYMOUS',
  })
  admin = kafka.broker.address
})
after(() => kafka.dispose())

function siteOf(t: TestContext): Site {
  const site = Site.of(t, { 'workflows/order.yaml': read('workflows/order.yaml'), password })
  site.write(
    'worker.yaml',
    [
      `brokers: ${kafka.at('SASL')}`,
      'app: shop',
      'topicsCreate: false',
      'kafkaSaslMechanism: SCRAM-SHA-512',
      `kafkaSaslUsername: ${user}`,
      'kafkaSaslPasswordFile: password',
    ].join('\n'),
  )
  return site
}

const flags = ['--config', 'worker.yaml', '--partitions', '2']

async function prepare(site: Site): Promise<void> {
  const made = await site.type('topics', 'create', '--brokers', admin, '--app', 'shop', '--partitions', '2')
  assert.equal(made.code, 0, made.stderr)
}

/** Places an order and answers for the services, by clients with rights of their own. */
async function runOrder(t: TestContext, daemon: Daemon, key: string): Promise<void> {
  const log = await openLog([admin])
  t.after(() => log.close())
  const produce = async (topic: string, value: object): Promise<void> => {
    const [outcome] = await log.produce([{ topic, key: Buffer.from(key), value: Buffer.from(JSON.stringify(value)) }])
    assert.ok(outcome !== undefined && 'offset' in outcome)
  }
  const at = (name: string) => daemon.instance('order', key, ({ waitingAt }) => waitingAt.includes(name))
  await produce('orders', { orderId: key, amount: 1 })
  await at('charged')
  await produce('payment-events', { orderId: key, status: 'paid' })
  await at('shipped')
  await produce('warehouse-events', { orderId: key, tracking: 'T' })
  const { status } = await daemon.instance('order', key)
  assert.equal(status, 'COMPLETED')
}

test('the table of the README says what its lines grant', () => {
  const cells = [...section.matchAll(/^\| (topics|group|transactional ids) (.*?) \| (.*?) \|/gm)]
  const resources = { topics: 'TOPIC', group: 'GROUP', 'transactional ids': 'TRANSACTIONAL_ID' } as const
  const inTable = cells.flatMap(([, kind = '', names = '', operations = '']) =>
    [...names.matchAll(/`([^`*]+)(\*?)`/g)].flatMap(([, name, star]) =>
      operations.split(', ').map((operation) => ({
        resource: resources[kind as keyof typeof resources],
        name,
        isPrefix: star === '*',
        operation,
      })),
    ),
  )
  const sorted = (list: readonly object[]) =>
    list.map((each) => JSON.stringify(each, Object.keys(rights[0]!))).toSorted()
  assert.ok(rights.length > 8)
  assert.deepEqual(sorted(inTable), sorted(rights))
})

test('with what the README grants, and nothing else, the order example runs', async (t) => {
  const site = siteOf(t)
  await prepare(site)
  await grant(admin, principal, rights)
  t.after(() => revoke(admin, principal, rights))
  const daemon = await site.start(...flags)
  await runOrder(t, daemon, 'o-1')
  assert.deepEqual((await daemon.health()).problems, [])
  // Nothing was asked for that was refused.
  assert.doesNotMatch(JSON.stringify(daemon.log), /AUTHORIZATION_FAILED/)
})

test('giving dead letters back wants Write on the topic that they came from, and says so', async (t) => {
  const site = siteOf(t)
  await prepare(site)
  const write = { ...rights.find(({ name }) => name === 'orders')!, operation: 'Write' } as const
  await grant(admin, principal, rights)
  t.after(() => revoke(admin, principal, [...rights, write]))
  const daemon = await site.start(...flags)
  const log = await openLog([admin])
  t.after(() => log.close())
  await log.produce([{ topic: 'orders', key: Buffer.from('bad'), value: Buffer.from('no JSON') }])
  const redrive = () => site.type('dead-letter', 'redrive', '--all', '--server', daemon.url)
  const refused = await daemon.until(async () => {
    const answer = await redrive()
    return answer.stdout.includes('0 letters redriven, 1 failed') ? answer : undefined
  }, redrive)
  assert.equal(refused.code, 1)
  assert.match(refused.stdout, /needs Write on the topic/)
  await grant(admin, principal, [write])
  const done = await daemon.until(async () => {
    const answer = await redrive()
    return answer.code === 0 ? answer : undefined
  }, redrive)
  assert.match(done.stdout, /^1 letter redriven/m)
})

const kinds = { TOPIC: 'topic', GROUP: 'group', TRANSACTIONAL_ID: 'transactional id' } as const

for (const [at, right] of rights.entries()) {
  const { resource, name, operation, isPrefix } = right
  // Asked for a thousand records later; see below.
  if (operation === 'Delete') continue
  test(`without ${operation} on the ${kinds[resource]} ${name}${isPrefix ? '*' : ''} it is said what is missing`, async (t) => {
    const site = siteOf(t)
    // Published anew.
    site.write('workflows/order.yaml', read('workflows/order.yaml').replace(/^description: /m, `$&${at}. `))
    const others = rights.filter((each) => each !== right)
    await prepare(site)
    await grant(admin, principal, others)
    t.after(() => revoke(admin, principal, others))
    const log = await openLog([admin])
    t.after(() => log.close())
    const key = `without-${at}`
    const of = (topic: string, value: object) => ({ topic, key: null, value: Buffer.from(JSON.stringify(value)) })
    await log.produce([
      of('orders', { orderId: key, amount: 1 }),
      of('payment-events', { orderId: key, status: 'paid' }),
    ])
    const daemon = site.launch(...flags)
    const isReady = daemon.ready().then(
      () => true,
      () => false,
    )
    /** What an operator can see: the log, the health, the instance. */
    const seen = async (): Promise<string> => {
      const logged = daemon.log.map((line) => JSON.stringify(line)).join('\n')
      if (!(await Promise.race([isReady, pause(100)]))) return logged
      const instance = await daemon.client.findInstanceByKey('order', key).catch(() => undefined)
      return [logged, JSON.stringify(await daemon.health()), JSON.stringify(instance)].join('\n')
    }
    // A topic of which nothing else is granted may not even be seen.
    const wanted = resource === 'TOPIC' && !isPrefix && operation === 'Read' ? 'Describe' : operation
    const said = new RegExp(`${name.replaceAll('.', '\\.')}.*needs ${wanted} on the ${kinds[resource]}`)
    await daemon.until(async () => (said.test(await seen()) ? true : undefined), seen)
    if (wanted !== 'Describe') return
    // Nothing is wrong with the worker, and still somebody should know.
    const health = await isReady.then(() => daemon.health())
    assert.ok(health.isReady && health.problems.some((problem) => said.test(problem)), health.problems.join())
  })
}

test('without Delete on its topics a worker is told so when it wants to forget records of the inbox', async (t) => {
  await prepare(siteOf(t))
  const others = rights.filter(({ operation }) => operation !== 'Delete')
  assert.ok(others.length < rights.length)
  await grant(admin, principal, others)
  t.after(() => revoke(admin, principal, others))
  const settings = { kafkaTls: false, kafkaSaslMechanism: 'PLAIN', kafkaSaslUsername: user } as const
  const log = await openKafkaLog({
    client: platformaticClient,
    brokers: [kafka.at('SASL')],
    clientId: 'deleting',
    ...kafkaCredentials(settings, { DAGGER_WORKER_KAFKA_SASL_PASSWORD: password }),
    clock: systemClock,
    logger: silentLogger,
  })
  t.after(() => log.close())
  const message = /shop\.inbox\/0: .*TOPIC_AUTHORIZATION_FAILED.*needs Delete on the topic/
  await assert.rejects(log.deleteRecords('shop.inbox', 0, 0), { name: 'TransientFault', message })
})

test('who may not make topics, or not read their settings, is told so', async (t) => {
  const site = siteOf(t)
  await prepare(site)
  const describe = rightsOf('--operation Describe --topic other. --resource-pattern-type prefixed')
  const given = [...rights, ...describe]
  await grant(admin, principal, given)
  t.after(() => revoke(admin, principal, given))
  const made = await site.type('topics', 'create', ...flags, '--app', 'other')
  assert.equal(made.code, 3)
  assert.match(made.stderr, /topic other\.\S+ was not created: .*needs Create on the topic/)
  const hidden = await site.type('topics', 'create', ...flags, '--app', 'hidden')
  assert.equal(hidden.code, 3)
  assert.match(hidden.stderr, /topic hidden\.\S+: .*needs Describe on the topic/)
  const checked = await site.type('topics', 'check', ...flags)
  assert.equal(checked.code, 1)
  assert.match(
    checked.stdout,
    /^shop\.changelog {2}settings: wanted to be read, found not allowed\n {2}Grant DescribeConfigs/m,
  )
  const unseen = await site.type('topics', 'check', ...flags, '--app', 'hidden')
  assert.match(unseen.stdout, /^hidden\.inbox .*needs Describe on the topic\n {2}Grant Describe/m)
})
