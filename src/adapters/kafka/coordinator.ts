// The broker that coordinates one transactional id or one group: found, asked, found again where it has moved.
import type { Cluster } from './cluster.ts'
import { describe, errorOf, isCoordinatorMove } from './faults.ts'
import type { KafkaError } from './faults.ts'
import type { Retry } from './retry.ts'
import { NoAnswer } from './client.ts'
import type { Broker, Coded, Requests, Wire } from './client.ts'

/** What coordinators are asked. */
type Request = {
  [Name in keyof Requests]: ReturnType<Requests[Name]> extends Coded ? Name : never
}[keyof Requests]

export class Coordinator {
  readonly #cluster: Cluster
  readonly #wire: Wire
  readonly #kind: 'group' | 'transaction'
  readonly #key: string
  #broker: Broker | undefined

  constructor(cluster: Cluster, wire: Wire, kind: 'group' | 'transaction', key: string) {
    this.#cluster = cluster
    this.#wire = wire
    this.#kind = kind
    this.#key = key
  }

  /** The coordinator's answer, error codes included, once. @throws {NoAnswer} also while there is no coordinator */
  async ask<Name extends Request>(
    request: Name,
    ...parameters: Parameters<Requests[Name]>
  ): Promise<ReturnType<Requests[Name]>> {
    const broker = (this.#broker ??= await this.#find())
    try {
      const answer = await this.#wire.ask(broker, request, ...parameters)
      const error = errorOf(answer.errorCode)
      if (error !== undefined && isCoordinatorMove(error)) this.#broker = undefined
      return answer
    } catch (error) {
      this.#broker = undefined
      throw error
    }
  }

  async #find(): Promise<Broker> {
    // From a broker that any request goes to: the id's own connections are for its coordinator and its leaders.
    const found = await this.#cluster
      .ask((broker) => this.#cluster.wire.ask(broker, 'findCoordinator', this.#kind, this.#key))
      .catch((error: unknown) => {
        throw error instanceof NoAnswer ? new NoAnswer(false, error) : error
      })
    const error = errorOf(found.errorCode)
    if (error !== undefined) throw new NoCoordinator(error)
    return { host: found.host, port: found.port }
  }
}

/** There is none now (a new cluster makes the topic it keeps them in), or it may not be asked for. */
export class NoCoordinator extends NoAnswer {
  readonly error: KafkaError
  constructor(error: KafkaError) {
    super(false, new Error(describe(error)))
    this.error = error
  }
}

/**
 * Asks again while the refusal passes or nobody answers, which is for requests that may be repeated.
 * Resolves to the error that was left, or undefined. @throws {NoAnswer} the last one
 */
export async function untilAnswered(
  retry: Retry,
  ask: () => Promise<KafkaError | undefined>,
  isPassing: (error: KafkaError) => boolean,
): Promise<KafkaError | undefined> {
  for (;;) {
    try {
      const error = await ask()
      if (error === undefined || !isPassing(error) || !(await retry.again())) return error
    } catch (error) {
      if (error instanceof NoCoordinator && !isCoordinatorMove(error.error)) return error.error
      if (!(error instanceof NoAnswer) || !(await retry.again())) throw error
    }
  }
}
