// Calls that wait for something to happen. Their number is bounded, and all of them end when the server closes or their
// client goes away: the worker is not told, its own wait ends by itself (httpLimits.waitMsMax).
import type { ServerResponse } from 'node:http'
import { Unavailable } from '../runtime/face.ts'
import { httpLimits } from './limits.ts'

const ended = Symbol('ended')

export class LongPolls {
  readonly #ends = new Set<() => void>()
  #isClosing = false

  get isClosing(): boolean {
    return this.#isClosing
  }

  /**
   * The answer of `ask`, or that of `otherwise` (which does not wait) if the server closes the client is gone before.
   * @throws {Unavailable} overloaded: too many are waiting.
   */
  async wait<Answer>(
    ask: () => Promise<Answer>,
    otherwise: () => Promise<Answer>,
    response: ServerResponse,
  ): Promise<Answer> {
    if (this.#isClosing) return otherwise()
    if (this.#ends.size >= httpLimits.longPollsMax) {
      throw new Unavailable('overloaded', `${httpLimits.longPollsMax} calls wait for news already: ask with waitMs=0.`)
    }
    const { promise, resolve } = Promise.withResolvers<typeof ended>()
    const end = () => resolve(ended)
    this.#ends.add(end)
    response.once('close', end)
    try {
      const first = await Promise.race([ask(), promise])
      return first === ended ? await otherwise() : first
    } finally {
      this.#ends.delete(end)
      response.off('close', end)
    }
  }

  /** Ends all that wait, and from now on none waits. */
  close(): void {
    this.#isClosing = true
    for (const end of this.#ends) end()
  }
}
