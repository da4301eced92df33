// What OpenTelemetry has to say about itself. While it is set up, that is about variables. From then on
// it is about what cannot be delivered, with every batch of spans: that is told once in a while.
import type { DiagLogger } from '@opentelemetry/api'
import type { Logger } from '../../base/logger.ts'

const toldEveryMs = 10 * 60_000

export class Diagnostics implements DiagLogger {
  readonly #logger: Logger
  readonly #nowMs: () => number
  #toldAtMs = -Infinity
  #isSetUp = false

  constructor(logger: Logger, nowMs: () => number) {
    this.#logger = logger
    this.#nowMs = nowMs
  }

  /** What comes from now on is about deliveries. */
  setUp(): void {
    this.#isSetUp = true
  }

  /** @param message JSON, or words */
  error(message: string): void {
    if (!this.#isSetUp) {
      this.#logger.warn({ error: textOf(message) }, 'OpenTelemetry takes a setting otherwise than it is written')
      return
    }
    if (this.#nowMs() - this.#toldAtMs < toldEveryMs) return
    this.#toldAtMs = this.#nowMs()
    this.#logger.warn(
      { error: textOf(message) },
      'telemetry cannot be delivered as it should, and some of it is lost; the worker goes on, and this is not told again for ten minutes',
    )
  }

  warn(message: string): void {
    this.error(message)
  }

  info(): void {}
  debug(): void {}
  verbose(): void {}
}

function textOf(message: string): string {
  try {
    const {
      message: text,
      code,
      name,
    }: { message?: unknown; code?: unknown; name?: unknown } = Object(JSON.parse(message))
    const known = [text, code, name].filter((each) => typeof each === 'string' && each !== '')
    return known.length > 0 ? String(known[0]).slice(0, 500) : message.slice(0, 500)
  } catch {
    return message.slice(0, 500)
  }
}
