// What is made of files that an operator exchanges while the worker runs: tokens, certificates. They are looked at every
// few seconds, by what is in them: what Kubernetes mounts changes behind links, and a clock may stand still.
// Where new files cannot be used the old ones stay, and that is a problem to be told.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError } from '../base/errors.ts'
import { thrownText } from '../base/thrown.ts'

export class FromFiles<Value> {
  readonly #paths: readonly string[]
  readonly #make: (texts: readonly string[]) => Value
  #value: Value
  /** Of what was in them when they were looked at. */
  #seen: string
  #trouble: string | undefined

  /** @param make throws ConfigError where they cannot be used. @throws {ConfigError} */
  constructor(paths: readonly string[], make: (texts: readonly string[]) => Value) {
    this.#paths = paths
    this.#make = make
    const texts = this.#read()
    this.#seen = hashOf(texts)
    this.#value = make(texts)
  }

  get value(): Value {
    return this.#value
  }

  /** What is wrong with the files as they are now, in words. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Looks whether they have changed; true: there is a new value. */
  look(): boolean {
    try {
      const texts = this.#read()
      const seen = hashOf(texts)
      if (seen === this.#seen) return false
      this.#value = this.#make(texts)
      this.#seen = seen
      this.#trouble = undefined
      return true
    } catch (error) {
      const said = error instanceof ConfigError ? error.problems.map(textOf).join(' ') : thrownText(error)
      this.#trouble = `${this.#paths.join(', ')}: what was read before stays in use. ${said}`
      return false
    }
  }

  #read(): readonly string[] {
    return this.#paths.map((path) => readFileSync(path, 'utf8'))
  }
}

const textOf = ({ place, message }: ConfigError['problems'][number]): string =>
  place === undefined ? message : `Line ${place.line}: ${message}`

function hashOf(texts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(`${text.length}:`).update(text)
  return hash.digest('hex')
}
