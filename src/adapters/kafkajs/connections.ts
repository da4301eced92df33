// Connections of kafkajs, one a broker. One that has come to its end is never connected again, which kafkajs would do: what
// it tidies up late is then done to its successor's socket.
import { ConfigError, type Problem } from '../../base/errors.ts'
import { causesOf, NoAnswer, type Broker } from '../kafka/client.ts'
import { bounds, type KafkaConnection, type KafkaSasl } from '../kafka/options.ts'
import { tlsRefusal } from '../kafka/tls-refusals.ts'
import { askVersions, KafkaJSSASLAuthenticationError, newConnection, socketFactory } from './internals.ts'
import type { Connection, Exchange, Logger, Versions } from './internals.ts'
import { isSpokenBy } from './own-requests.ts'

/** What it would complain of is told by whoever asked. */
const quiet: Logger = { namespace: () => quiet, error() {}, warn() {}, info() {}, debug() {} }

/** It proves itself again before the first request that is so near to the end of the session; in its first second no broker lets it. */
const reauthenticateBeforeMs = 500

interface Connected {
  readonly connection: Connection
  readonly versions: Versions
}

export class Connections {
  readonly #options: KafkaConnection
  readonly #requestTimeoutMs: number
  readonly #connected = new Map<string, Promise<Connected>>()
  #isClosed = false

  constructor(options: KafkaConnection, requestTimeoutMs: number) {
    this.#options = options
    this.#requestTimeoutMs = requestTimeoutMs
  }

  /** The answer as it was decoded, with its error codes. @throws {NoAnswer} */
  async ask<Answer>(broker: Broker, exchange: (versions: Versions) => Exchange): Promise<Answer> {
    const { connection, versions } = await this.#connect(broker)
    const { request, response } = exchange(versions)
    try {
      const answer = await connection.send({
        request,
        // Its own `parse` throws the error of one partition and forgets the others'.
        response: { decode: (bytes) => response.decode(bytes), parse: async (decoded) => decoded },
        logResponseError: false,
      })
      return answer as Answer
    } catch (error) {
      throw new NoAnswer(!isUnsent(error), error)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const connecting of this.#connected.values()) {
      // Who waits for an answer is told now; kafkajs would wait with them.
      await connecting.then(({ connection }) => end(connection)).catch(() => {})
    }
    this.#connected.clear()
  }

  async #connect(broker: Broker): Promise<Connected> {
    if (this.#isClosed) throw new NoAnswer(false, new Error('closed'))
    const key = `${broker.host}:${broker.port}`
    const known = this.#connected.get(key)
    if (known !== undefined) {
      const connected = await known
      if (connected.connection.isConnected()) return connected
    }
    // Somebody else may have begun meanwhile.
    if (this.#connected.get(key) === known) {
      const connecting = this.#open(broker)
      this.#connected.set(key, connecting)
      connecting.catch(() => this.#connected.get(key) === connecting && this.#connected.delete(key))
    }
    return this.#connected.get(key) ?? this.#open(broker)
  }

  async #open(broker: Broker): Promise<Connected> {
    let connection: Connection | undefined
    try {
      const { clientId, tls, sasl } = this.#options
      connection = newConnection({
        ...broker,
        clientId,
        connectionTimeout: bounds.connectTimeoutMs,
        requestTimeout: this.#requestTimeoutMs,
        reauthenticationThreshold: reauthenticateBeforeMs,
        logger: quiet,
        socketFactory,
        ssl: tls?.() ?? null,
        sasl: sasl === undefined ? null : await saslOf(sasl),
      })
      await connection.connect()
      const { request, response } = askVersions()
      const answer = await connection.send({ request, response, logResponseError: false })
      const { apiVersions } = answer as { apiVersions: { apiKey: number; minVersion: number; maxVersion: number }[] }
      const versions: Versions = Object.fromEntries(apiVersions.map(({ apiKey, ...range }) => [apiKey, range]))
      if (!isSpokenBy(versions)) throw new TooOld()
      connection.setVersions(versions)
      connection.setSupportAuthenticationProtocol(true)
      await connection.authenticate()
      return { connection, versions }
    } catch (error) {
      if (connection !== undefined) await end(connection)
      throw new NoAnswer(false, error, refusalOf(error, broker))
    }
  }
}

async function end(connection: Connection): Promise<void> {
  connection.rejectRequests(new Error('the connection is closed'))
  await connection.disconnect().catch(() => {})
}

/** kafkajs looks before it writes; everything later may have arrived. */
const isUnsent = (error: unknown): boolean => error instanceof Error && error.message === 'Not connected'

/** Read again each time that it proves itself, where that takes no waiting: kafkajs knows how to wait for a token only. */
async function saslOf({ mechanism, username, password, token }: KafkaSasl): Promise<object> {
  if (mechanism === 'OAUTHBEARER') {
    return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await token?.() }) }
  }
  const [firstUsername, firstPassword] = [await username?.(), await password?.()]
  return {
    mechanism: mechanism.toLowerCase(),
    get username() {
      return now(username?.(), firstUsername)
    },
    get password() {
      return now(password?.(), firstPassword)
    },
  }
}

const now = (value: string | Promise<string> | undefined, first: string | undefined): string | undefined =>
  typeof value === 'string' ? value : first

class TooOld extends Error {}

function refusalOf(error: unknown, { host, port }: Broker): Problem | undefined {
  const where = `The broker ${host}:${port}`
  if (error instanceof TooOld) {
    const message = `${where} is of a Kafka older than 2.8, which has no ids of topics: name brokers of a newer one.`
    return { code: 'DW_KAFKA_VERSION', path: 'brokers', message }
  }
  for (const cause of causesOf(error)) {
    if (cause instanceof ConfigError) return cause.problems[0]
    const refused = tlsRefusal(cause, where)
    if (refused !== undefined) return refused
  }
  if (!(error instanceof KafkaJSSASLAuthenticationError)) return undefined
  const message = `${where} does not let us in: ${error.message}. Check kafkaSaslUsername and the password, or the token.`
  return { code: 'DW_KAFKA_SASL', path: 'kafkaSaslUsername', message }
}
