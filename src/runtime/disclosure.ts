// The secrets that one run of a handler is given: read when the run begins, and masked in all that comes back from it.
import type { Json } from '../base/json.ts'
import type { Logger } from '../base/logger.ts'
import type { Command } from '../engine/command.ts'
import { Payload } from '../engine/payload.ts'
import { masked, unseal } from '../engine/secrets.ts'
import type { Secrets } from './ports.ts'

/** A shorter text is found everywhere, and masking it would hide nothing. */
const maskedCharactersMin = 4

export class Disclosure {
  readonly #secrets: Secrets
  /** Every way in which a secret that was given may be written, the longest first. */
  #forms: readonly string[] = []

  constructor(secrets: Secrets) {
    this.#secrets = secrets
  }

  /** The input with its secrets. @throws {SecretNotFound} */
  open(input: Json): Json {
    const values = new Set<string>()
    const opened = unseal(input, (name) => {
      const value = this.#secrets.read(name)
      values.add(value)
      return value
    })
    this.#forms = [...values].flatMap(formsOf).toSorted((a, b) => b.length - a.length)
    return opened
  }

  /** A text with no secret in it. */
  text(text: string): string {
    let found = text
    for (const form of this.#forms) found = found.replaceAll(form, masked)
    return found
  }

  /** Nor with the beginning of one at its end, where it may have been cut. */
  #cutText(text: string): string {
    const found = this.text(text)
    const [whole, ellipsis = ''] = found.endsWith('…') ? [found.slice(0, -1), '…'] : [found]
    for (const form of this.#forms) {
      for (let length = Math.min(form.length - 1, whole.length); length >= maskedCharactersMin; length--)
        if (whole.endsWith(form.slice(0, length))) return `${whole.slice(0, -length)}${masked}${ellipsis}`
    }
    return found
  }

  /** What came of the run. */
  command(command: Command): Command {
    if (this.#forms.length === 0) return command
    if (command.type === 'task.complete') return { ...command, output: Payload.of(this.json(command.output.value)) }
    if (command.type !== 'task.fail') return command
    const { code, message } = command.error
    return { ...command, error: { code: this.text(code), message: this.#cutText(message) } }
  }

  /** JSON with no secret in its texts and keys. */
  json(value: Json): Json {
    if (this.#forms.length === 0) return value
    if (typeof value === 'string') return this.text(value)
    if (Array.isArray(value)) return value.map((each: Json) => this.json(each))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [this.text(key), this.json(each)]))
  }

  /** A logger for whoever was given them. */
  logger(logger: Logger): Logger {
    const fields = (given: object): object => this.#fields(given)
    return {
      debug: (given, message) => logger.debug(fields(given), this.text(message)),
      info: (given, message) => logger.info(fields(given), this.text(message)),
      warn: (given, message) => logger.warn(fields(given), this.text(message)),
      error: (given, message) => logger.error(fields(given), this.text(message)),
      child: (given) => this.logger(logger.child(fields(given))),
    }
  }

  /** What a logger is given may be anything: what is not JSON is written as the logger writes it. */
  #fields(given: object): object {
    if (this.#forms.length === 0) return given
    return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, this.#field(value)]))
  }

  #field(value: unknown): unknown {
    if (value instanceof Error) return this.text(value.stack ?? String(value))
    try {
      return this.json(JSON.parse(JSON.stringify(value) ?? 'null') as Json)
    } catch {
      return this.text(String(value))
    }
  }
}

function formsOf(secret: string): readonly string[] {
  if (secret.length < maskedCharactersMin) return []
  const bytes = Buffer.from(secret, 'utf8')
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    bytes.toString('base64'),
    bytes.toString('base64url'),
  ]
}
