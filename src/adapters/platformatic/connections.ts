// The connections of `@platformatic/kafka`, and why a request over one of them has no answer.
import { AuthenticationError, ConnectionPool, NetworkError, ResponseError, UserError } from '@platformatic/kafka'
import type { API, Broker, Connection } from '@platformatic/kafka'
import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { NoAnswer } from '../kafka/client.ts'
import { bounds, type KafkaConnection } from '../kafka/options.ts'
import { BrokerWantsTls, refusalOf, TokenRefused } from './refusals.ts'

export class Connections {
  readonly #options: KafkaConnection
  readonly #pool: ConnectionPool
  /** Filled anew for each connection: certificates are exchanged while a worker runs. */
  readonly #tls: ConnectionOptions = {}
  /** Why the last connection to a broker came to its end: those who wait for an answer are told only that it did. */
  readonly #reasons = new Map<string, Error>()

  constructor(options: KafkaConnection, requestTimeoutMs: number) {
    const { clientId, tls, sasl } = options
    this.#options = options
    this.#pool = new ConnectionPool(clientId, {
      connectTimeout: bounds.connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      ...(tls === undefined ? {} : { tls: this.#tls }),
      ...(sasl === undefined ? {} : { sasl: { ...sasl, ...(sasl.token && { authBytesValidator: tokenAnswer }) } }),
    })
    this.#pool.on('connecting', ({ broker, connection }) => this.#watch(broker, connection))
  }

  /** The broker's answer, error codes included. @throws {NoAnswer} */
  async ask<Request extends unknown[], Answer>(
    broker: Broker,
    { api }: { readonly api: API<Request, Answer> },
    ...request: Request
  ): Promise<Answer> {
    const connection = await this.#connect(broker)
    try {
      return await api.async(connection, ...request)
    } catch (error) {
      // The client throws an answer that has an error code in it; the answer is on the error.
      if (error instanceof ResponseError && 'response' in error) {
        const answer: Answer = error.response
        return answer
      }
      if (isOfTheNetwork(error)) throw this.#noAnswer(true, broker, error)
      throw error
    }
  }

  /** Also while it proves itself again: a request in the middle of that would end the connection. */
  async #connect(broker: Broker): Promise<Connection> {
    try {
      const { tls } = this.#options
      if (tls !== undefined && !this.#pool.has(broker)) {
        // The name is what proxies in front of clusters route by (SNI). Node sends none unless it is told to.
        Object.assign(this.#tls, { servername: isIP(broker.host) === 0 ? broker.host : '' }, tls())
      }
      return await this.#pool.get(broker)
    } catch (error) {
      throw this.#noAnswer(false, broker, error)
    }
  }

  #watch(broker: Broker, connection: Connection): void {
    const key = keyOf(broker)
    this.#reasons.delete(key)
    // The pool listens for one error of a connection; a second one would be thrown at the process.
    connection.on('error', (error) => {
      if (!this.#reasons.has(key)) this.#reasons.set(key, error)
    })
    // The client's timer for proving itself again would outlive it, and keep the process.
    connection.on('close', () => void connection.close())
    if (this.#options.tls !== undefined) return
    // The client knows it too, and forgets it where SASL comes first. Its socket is made in this turn.
    queueMicrotask(() =>
      connection.socket?.once('data', (bytes: Buffer) => {
        if (isTls(bytes)) this.#reasons.set(key, new BrokerWantsTls('Broker requires TLS.'))
      }),
    )
  }

  #noAnswer(mayBeDone: boolean, broker: Broker, error: unknown): NoAnswer {
    const reason = this.#reasons.get(keyOf(broker))
    const refusal = refusalOf(error, broker, this.#options) ?? refusalOf(reason, broker, this.#options)
    return new NoAnswer(mayBeDone, reason ?? error, refusal)
  }

  async close(): Promise<void> {
    await this.#pool.close()
  }
}

function isOfTheNetwork(error: unknown): boolean {
  // Timeouts carry the code of network errors. A user error is a broker that wants TLS.
  if (error instanceof AuthenticationError || error instanceof UserError) return true
  return error instanceof Error && 'code' in error && error.code === NetworkError.code
}

/** A broker that refuses a token says so in what looks like success; the client's own check would go on after that. */
function tokenAnswer(bytes: Buffer, callback: (error: Error | null, bytes: Buffer) => void): void {
  const text = bytes.toString()
  if (text === '') callback(null, bytes)
  else callback(new TokenRefused(text.slice(0, 200)), bytes)
}

/** An alert or a handshake: as the length of an answer it would be hundreds of megabytes. */
const isTls = (bytes: Buffer): boolean => (bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 0x03

const keyOf = ({ host, port }: Broker): string => `${host}:${port}`
