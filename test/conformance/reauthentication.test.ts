// A broker that ends SASL sessions (connections.max.reauth.ms): the client proves itself again on a connection that is in
// use, and nobody who asks notices. A request in the middle of that would cost the connection, and a transaction on it
// its outcome.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openKafkaLog } from '../../src/adapters/kafka/log.ts'
import { bounds } from '../../src/adapters/kafka/options.ts'
import { kafkajsClient } from '../../src/adapters/kafkajs/client.ts'
import { platformaticClient } from '../../src/adapters/platformatic/client.ts'
import { kafkaCredentials } from '../../src/adapters/system/kafka-credentials.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { KafkaSettings } from '../../src/base/kafka-settings.ts'
import { createTopic, pause, record, takeUntil } from '../support/kafka/kafka-world.ts'
import { password, startSecuredBroker, unsecuredToken, user, type SecuredBroker } from '../support/kafka/secured.ts'

/** A fifth of it is left when the client begins: on a busy machine what is under way takes a second. */
const sessionMs = 8_000
const sessions = 3
/** More than the client has under way at once on a connection. */
const atOnce = 10

let kafka: SecuredBroker
before(async () => (kafka = await startSecuredBroker({ 'connections.max.reauth.ms': `${sessionMs}` })))
after(() => kafka.dispose())

const env = { DAGGER_WORKER_KAFKA_SASL_PASSWORD: password }
const byPassword = (kafkaSaslMechanism: 'PLAIN' | 'SCRAM-SHA-256'): KafkaSettings => ({
  kafkaTls: true,
  kafkaTlsCaFile: kafka.files.ca,
  kafkaSaslMechanism,
  kafkaSaslUsername: user,
})
const settings: { readonly [mechanism: string]: () => KafkaSettings } = {
  'SCRAM-SHA-256': () => byPassword('SCRAM-SHA-256'),
  OAUTHBEARER: () => ({
    kafkaTls: true,
    kafkaTlsCaFile: kafka.files.ca,
    kafkaSaslMechanism: 'OAUTHBEARER',
    kafkaSaslTokenFile: kafka.files.write('token', unsecuredToken(user)),
  }),
}

const all = [platformaticClient, kafkajsClient].flatMap((client) =>
  Object.entries(settings).map(([mechanism, settingsOf]) => ({ client, mechanism, settingsOf })),
)

for (const { client, mechanism, settingsOf } of all) {
  test(`${client.name}: over ${sessions} sessions by ${mechanism} no transaction and no question fails, and all is read`, async (t) => {
    let asked = 0
    const { sasl, ...secured } = kafkaCredentials(settingsOf(), env)
    assert.ok(sasl !== undefined)
    const secret = <Secret>(read: (() => Secret) | undefined) => read && (() => ((asked += 1), read()))
    const counted = { ...sasl, password: secret(sasl.password), token: secret(sasl.token) }
    const given = Object.fromEntries(Object.entries(counted).filter(([, value]) => value !== undefined))
    const connection = { brokers: [kafka.at('SASL_TLS')], clientId: 'sessions', ...secured }
    const options = {
      ...connection,
      sasl: { ...given, mechanism: sasl.mechanism },
      client,
      clock: systemClock,
      logger: silentLogger,
    }
    const log = await openKafkaLog(options)
    t.after(() => log.close())
    const topic = await createTopic(log)
    const producer = await log.openProducer(`sessions-${client.name}-${mechanism}`)
    const reader = log.openReader({ topic, partition: 0, offset: 0, onReady: () => {} })
    // No log asks again for this one: a connection that was lost is an error.
    const wire = client.connect(options, bounds.requestTimeoutMs)
    t.after(() => wire.close())
    const [host = '', port] = kafka.at('SASL_TLS').split(':')
    const endsAt = performance.now() + sessionMs * sessions
    let questions = 0
    const ask = async (): Promise<void> => {
      while (performance.now() < endsAt) {
        await wire.ask({ host, port: Number(port) }, 'metadata', [topic])
        questions += 1
      }
    }
    const asking = Promise.all(Array.from({ length: atOnce }, ask))
    // Told where it is awaited.
    asking.catch(() => {})
    const before = asked
    let produced = 0
    while (performance.now() < endsAt) {
      await producer.transact([record(topic, `${produced}`, 0)])
      produced += 1
      await pause(5)
    }
    await asking
    const read = await takeUntil(reader, (await log.offsets(topic, 0)).committedEnd)
    assert.equal(read.length, produced)
    assert.ok(questions > 100, `${questions}`)
    assert.ok(asked - before >= sessions, `asked for the secret ${asked - before} times`)
    t.diagnostic(`${produced} transactions, ${questions} questions, ${asked} secrets`)
  })
}

test('a connection that the broker has closed keeps no timer for proving itself again, and so no process', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const connection = {
    client: platformaticClient,
    brokers: [kafka.at('SASL_TLS')],
    clientId: 'timers',
    ...kafkaCredentials(byPassword('PLAIN'), env),
  }
  const log = await openKafkaLog({ ...connection, clock: systemClock, logger: silentLogger })
  assert.ok(timers() > before)
  await kafka.broker.kill()
  await pause(500)
  await log.close()
  assert.equal(timers(), before)
})
