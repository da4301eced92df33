// Ids of spans that follow from what they are of. A span of ours is made with the id that others were told already; what
// handlers and instrumentations make has random ones.
import { createHash, randomBytes } from 'node:crypto'

export class DerivedIds {
  #span: string | undefined
  #trace: string | undefined

  /** Makes one span with these ids. `trace`: of one that has no parent. */
  with<Made>(span: string, trace: string, make: () => Made): Made {
    this.#span = span
    this.#trace = trace
    try {
      return make()
    } finally {
      this.#span = undefined
      this.#trace = undefined
    }
  }

  generateSpanId(): string {
    return this.#span ?? randomBytes(8).toString('hex')
  }

  generateTraceId(): string {
    return this.#trace ?? randomBytes(16).toString('hex')
  }
}

/** 16 hexadecimal digits. */
export const spanIdOf = (text: string): string => digest(`span ${text}`).slice(0, 16)

/** 32 hexadecimal digits. */
export const traceIdOf = (text: string): string => digest(`trace ${text}`).slice(0, 32)

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
