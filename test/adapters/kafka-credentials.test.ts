// What connections to Kafka are made with: read when it is asked for, and no secret in any message.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { kafkaCredentials } from '../../src/adapters/system/kafka-credentials.ts'
import { createTokens } from '../../src/adapters/system/oauth-tokens.ts'
import { ConfigError } from '../../src/base/errors.ts'

const secret = 'sh#h: a %ecret'

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'dw-credentials-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

interface Asked {
  readonly authorization: string | undefined
  readonly body: string
}

/** An OAuth server that answers as it is told, in order, and the last answer again. */
async function tokenServer(t: TestContext, ...answers: readonly { status: number; body: object }[]) {
  const asked: Asked[] = []
  const textOf = async (request: IncomingMessage): Promise<string> => {
    let text = ''
    for await (const piece of request) text += String(piece)
    return text
  }
  const server = createServer((request, response) => {
    void textOf(request).then((body) => {
      const { status, body: answer } = answers[Math.min(asked.length, answers.length - 1)]!
      asked.push({ authorization: request.headers.authorization, body })
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const endpoint = `http://127.0.0.1:${address.port}/token`
  return { asked, endpoint, options: { endpoint, clientId: 'shop:w', clientSecret: () => secret, scope: 'a b' } }
}

const good = (token: string, seconds: number) => ({ status: 200, body: { access_token: token, expires_in: seconds } })

test('a password is read anew each time that it is asked for, without the line break at its end', (t) => {
  const file = join(folderOf(t), 'password')
  const { sasl } = kafkaCredentials(
    { kafkaTls: false, kafkaSaslMechanism: 'PLAIN', kafkaSaslUsername: 'u', kafkaSaslPasswordFile: file },
    {},
  )
  for (const password of ['one', 'two ']) {
    writeFileSync(file, `${password}\n`)
    assert.equal(sasl?.password?.(), password)
  }
  rmSync(file)
  assert.throws(() => sasl?.password?.(), { name: 'ConfigError', code: 'DW_KAFKA_SASL' })
  writeFileSync(file, '\n')
  assert.throws(() => sasl?.password?.(), { name: 'ConfigError', code: 'DW_KAFKA_SASL' })
})

test('certificates are verified whatever the environment says, and only TLS that is asked for is there', () => {
  assert.deepEqual(kafkaCredentials({ kafkaTls: false }, {}), {})
  const { tls } = kafkaCredentials({ kafkaTls: true, kafkaTlsServerName: 'kafka' }, {})
  const { rejectUnauthorized, servername } = tls!()
  assert.deepEqual([rejectUnauthorized, servername], [true, 'kafka'])
})

test('a token is asked for as RFC 6749 has it, once for those who ask at once, and again when half its time is gone', async (t) => {
  const { asked, options } = await tokenServer(t, good('t1', 600), good('t2', 600))
  const token = createTokens(options)
  assert.deepEqual(await Promise.all([token(), token()]), ['t1', 't1'])
  assert.equal(await token(), 't1')
  assert.equal(asked.length, 1)
  const [{ authorization = '', body } = { body: '' }] = asked
  assert.equal(body, 'grant_type=client_credentials&scope=a+b')
  const [id, given] = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':')
  const decode = (text = ''): string | null => new URLSearchParams(`x=${text}`).get('x')
  assert.deepEqual([decode(id), decode(given)], ['shop:w', secret])
})

test('a token that is over, or of which it is not known, is not used again', async (t) => {
  const { options } = await tokenServer(t, good('t1', 0), { status: 200, body: { access_token: 't2' } }, good('t3', 9))
  const token = createTokens(options)
  assert.deepEqual([await token(), await token(), await token()], ['t1', 't2', 't3'])
})

test('an endpoint that refuses the client is for a person to mend, in its words and without the secret', async (t) => {
  const body = { error: 'invalid_client', error_description: `no client with ${secret}` }
  const { options } = await tokenServer(t, { status: 401, body }, { status: 200, body: {} }, good('t', 60))
  const token = createTokens(options)
  await assert.rejects(token(), (error: Error) => {
    assert.ok(error instanceof ConfigError)
    assert.equal(error.code, 'DW_KAFKA_SASL')
    assert.match(error.message, /401: invalid_client: no client with \*\*\*/)
    return true
  })
  await assert.rejects(token(), { name: 'ConfigError', code: 'DW_KAFKA_SASL' })
  assert.equal(await token(), 't', 'what was refused is not kept')
})

test('an endpoint that is away, or in trouble, is asked again later', async (t) => {
  const { options, endpoint } = await tokenServer(t, { status: 503, body: {} }, good('t', 60))
  const token = createTokens(options)
  await assert.rejects(token(), { name: 'Error' })
  assert.equal(await token(), 't')
  const nobody = createTokens({ ...options, endpoint: endpoint.replace(/:\d+/, ':2') })
  await assert.rejects(nobody(), { name: 'Error', message: /does not answer: .*ECONNREFUSED/ })
})
