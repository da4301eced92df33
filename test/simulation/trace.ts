import { createHash } from 'node:crypto'

/** Everything that happened in a simulated world, a line each. Equal seeds give equal lines, byte for byte. */
export class Trace {
  readonly #hash = createHash('sha256')
  readonly #lines: string[] = []
  readonly #linesMax: number
  /** Lines that are not in the hash yet: it takes many at once, each call costs. */
  #unhashed: string[] = []
  #count = 0

  /** Keeps the last `linesMax` lines; the hash covers all. */
  constructor(linesMax = 200_000) {
    this.#linesMax = linesMax
  }

  add(line: string): void {
    this.#count++
    this.#lines.push(line)
    if (this.#unhashed.push(line) === 256) this.#hashAll()
    // Cut in large pieces: once for as many lines as are kept.
    if (this.#lines.length >= 2 * this.#linesMax) this.#lines.splice(0, this.#linesMax)
  }

  get count(): number {
    return this.#count
  }

  get lines(): readonly string[] {
    return this.#lines.slice(-this.#linesMax)
  }

  /** SHA-256 of all lines so far, in hex. */
  hash(): string {
    this.#hashAll()
    return this.#hash.copy().digest('hex')
  }

  /** The last lines as a text to be read by a person; those of one process where it is named. */
  story(options: { lines?: number; process?: string } = {}): string {
    const { lines = 200, process } = options
    const told = process === undefined ? this.lines : this.lines.filter((line) => line.includes(` ${process} `))
    return told.slice(-lines).join('\n')
  }

  #hashAll(): void {
    if (this.#unhashed.length === 0) return
    this.#hash.update(`${this.#unhashed.join('\n')}\n`)
    this.#unhashed = []
  }
}
