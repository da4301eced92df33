// Requests to brokers, over the connections of one purpose. A broker answers the requests of a connection one after the
// other, so a purpose that waits (a long poll, a join) or that must end by itself (a producer) has a Wire of its own.
//
// It owns what a failure means for the one who asked:
//   an answer with error codes is an answer, handed over as data: each caller knows which codes it lives with;
//   NoAnswer says whether the request may have been carried out; nothing is asked again in here.
// The versions that the callers pick are those of Kafka 3.5, which every later broker still speaks.
import { AuthenticationError, ConnectionPool, NetworkError, ResponseError, UserError } from '@platformatic/kafka'
import type { API, Broker } from '@platformatic/kafka'
import { bounds } from './options.ts'
import type { KafkaConnection } from './options.ts'

/** No broker answered. `mayBeDone`: it was sent, and may have been carried out, now or later. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  readonly mayBeDone: boolean
  constructor(mayBeDone: boolean, cause: unknown) {
    super(messageOf(cause), { cause })
    this.mayBeDone = mayBeDone
  }
}

export class Wire {
  readonly #pool: ConnectionPool

  constructor({ clientId, tls, sasl }: KafkaConnection, requestTimeoutMs: number = bounds.requestTimeoutMs) {
    this.#pool = new ConnectionPool(clientId, {
      connectTimeout: bounds.connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      ...(tls === undefined ? {} : { tls }),
      ...(sasl === undefined ? {} : { sasl }),
    })
    // The pool listens for one error of a connection; a second one would be thrown at the process.
    this.#pool.on('connecting', ({ connection }) => connection.on('error', () => {}))
  }

  /** The broker's answer, error codes included. @throws {NoAnswer} */
  async ask<Request extends unknown[], Answer>(
    broker: Broker,
    { api }: { readonly api: API<Request, Answer> },
    ...request: Request
  ): Promise<Answer> {
    const connection = await this.#pool.get(broker).catch((error: unknown) => {
      throw new NoAnswer(false, error)
    })
    try {
      return await api.async(connection, ...request)
    } catch (error) {
      // The client throws an answer that has an error code in it; the answer is on the error.
      if (error instanceof ResponseError && 'response' in error) {
        const answer: Answer = error.response
        return answer
      }
      if (isOfTheNetwork(error)) throw new NoAnswer(true, error)
      throw error
    }
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

/** With the innermost reason: "ECONNREFUSED", not only "failed 1 times". */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause
  return inner instanceof Error ? `${error.message} ${messageOf(inner)}` : error.message
}
