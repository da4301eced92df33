// TLS as the Kafka adapter begins it, against a server that only shakes hands: which name it asks for, and that files
// count as they are when a connection is made.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, readFileSync } from 'node:fs'
import { after, before, test, type TestContext } from 'node:test'
import { createServer, type TLSSocket } from 'node:tls'
import { NoAnswer, type Client } from '../../src/adapters/kafka/client.ts'
import { bounds } from '../../src/adapters/kafka/options.ts'
import { kafkajsClient } from '../../src/adapters/kafkajs/client.ts'
import { platformaticClient } from '../../src/adapters/platformatic/client.ts'
import { kafkaCredentials } from '../../src/adapters/system/kafka-credentials.ts'
import type { KafkaSettings } from '../../src/base/kafka-settings.ts'
import { makeCertificates, type Certificates } from '../support/kafka/certificates.ts'

let files: Certificates
before(async () => {
  files = await makeCertificates()
})
after(() => files.remove())

/** Shakes hands and hangs up; `names` are those that it was asked for. */
async function handshaker(t: TestContext) {
  const names: (string | false)[] = []
  const pem = readFileSync(files.broker)
  const server = createServer({ key: pem, cert: pem }, (socket: TLSSocket) => {
    names.push((socket as TLSSocket & { servername: string | false }).servername)
    socket.on('error', () => {})
    socket.end()
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { names, port: address.port }
}

function wireOf(t: TestContext, client: Client, settings: Partial<KafkaSettings>) {
  const connection = { brokers: [], clientId: 'tls', ...kafkaCredentials({ kafkaTls: true, ...settings }, {}) }
  const wire = client.connect(connection, bounds.requestTimeoutMs)
  t.after(() => wire.close())
  return async (host: string, port: number): Promise<NoAnswer> => {
    const failure: unknown = await wire.ask({ host, port }, 'metadata', []).catch((error: unknown) => error)
    assert.ok(failure instanceof NoAnswer)
    return failure
  }
}

for (const client of [platformaticClient, kafkajsClient]) {
  test(`${client.name}: the server is told the name that it is reached by, or the one that is set; an address is no name`, async (t) => {
    const { names, port } = await handshaker(t)
    const ask = wireOf(t, client, { kafkaTlsCaFile: files.ca })
    for (const host of ['localhost', '127.0.0.1', 'localhost']) assert.equal((await ask(host, port)).refusal, undefined)
    const askByName = wireOf(t, client, { kafkaTlsCaFile: files.ca, kafkaTlsServerName: 'kafka.test' })
    assert.equal((await askByName('127.0.0.1', port)).refusal, undefined)
    assert.deepEqual(names, ['localhost', false, 'localhost', 'kafka.test'])
  })

  test(`${client.name}: an authority that is exchanged counts from the next connection on`, async (t) => {
    const { names, port } = await handshaker(t)
    const ca = files.write('current-ca.pem', readFileSync(files.strangerCert, 'utf8'))
    const ask = wireOf(t, client, { kafkaTlsCaFile: ca })
    assert.equal((await ask('127.0.0.1', port)).refusal?.code, 'DW_KAFKA_TLS')
    copyFileSync(files.ca, ca)
    assert.equal((await ask('127.0.0.1', port)).refusal, undefined)
    assert.equal(names.length, 1, 'it came through')
    files.write('current-ca.pem', 'no PEM')
    const broken = await ask('127.0.0.1', port)
    assert.equal(broken.refusal?.code, 'DW_KAFKA_TLS')
    copyFileSync(files.ca, ca)
    assert.equal((await ask('127.0.0.1', port)).refusal, undefined, 'a file that was broken is not remembered')
  })
}
