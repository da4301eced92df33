// A JSON value that the state keeps: an input, an output. It is held as the bytes it came in, or will go out as,
// and parsed only when an expression asks. So a reply of 10 KB that nobody looks into is never decoded, and a
// waiting instance is rewritten by copying bytes.
import type { Json } from '../base/json.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export class Payload {
  #bytes: Uint8Array | undefined
  #value: Json | undefined
  #load: (() => Uint8Array) | undefined
  /** The key of the value of its own that holds the bytes, once that is committed; undefined while it is inline. */
  storedAs: string | undefined

  private constructor(bytes: Uint8Array | undefined, value: Json | undefined, load?: () => Uint8Array) {
    this.#bytes = bytes
    this.#value = value
    this.#load = load
  }

  /** From a JSON value; it is not copied and must not change afterwards. */
  static of(value: Json): Payload {
    return new Payload(undefined, value)
  }

  /** From bytes that are known to be JSON; `value` is what they parse to, where that is at hand. */
  static ofBytes(bytes: Uint8Array, value?: Json): Payload {
    return new Payload(bytes, value)
  }

  /** From a value of its own in the state, read when it is needed. */
  static stored(key: string, load: () => Uint8Array): Payload {
    const payload = new Payload(undefined, undefined, load)
    payload.storedAs = key
    return payload
  }

  get value(): Json {
    this.#value ??= JSON.parse(decoder.decode(this.bytes)) as Json
    return this.#value
  }

  get bytes(): Uint8Array {
    if (this.#bytes === undefined) {
      this.#bytes = this.#load === undefined ? encoder.encode(JSON.stringify(this.#value)) : this.#load()
    }
    return this.#bytes
  }
}

export const nullPayload: Payload = Payload.of(null)
