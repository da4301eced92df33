// The fields that LevelDB's files are made of, read one after another.
import { StoreCorrupted } from '../../base/errors.ts'

export class Fields {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** A number of seven bits a byte, the lowest first. @throws {StoreCorrupted} */
  varint(): number {
    let value = 0
    for (let scale = 1; scale <= Number.MAX_SAFE_INTEGER; scale *= 0x80) {
      const byte = this.bytes(1)[0]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80 && Number.isSafeInteger(value)) return value
    }
    throw new StoreCorrupted('a number has too many digits')
  }

  /** The next bytes, not copied. @throws {StoreCorrupted} */
  bytes(count: number): Buffer {
    if (count > this.#bytes.length - this.#at) throw new StoreCorrupted('a field ends too early')
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  /** Bytes behind their own length. @throws {StoreCorrupted} */
  text(): Buffer {
    return this.bytes(this.varint())
  }
}
