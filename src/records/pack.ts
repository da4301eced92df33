// MessagePack behind a leading byte that tells the layout's version. Layouts are arrays: what a field is, its place
// tells; new fields go to the end, and a reader takes a missing one for null.
import { Packr, RESERVE_START_SPACE } from 'msgpackr'
import { StoreCorrupted } from '../base/errors.ts'

const packr = new Packr({ useRecords: false, variableMapSize: true, bundleStrings: false })
/** Values lie one behind the other in buffers of this size: of its own the library takes a new one for every few of them. */
packr.useBuffer(Buffer.allocUnsafeSlow(131_072))
/** msgpackr's flag that leaves bytes free at the start, so that the version is written without a copy. */
const reserveOneByte = RESERVE_START_SPACE + 1

/** @param layout 0 to 255 */
export function pack(layout: number, fields: readonly unknown[]): Uint8Array {
  const bytes = packr.pack(fields, reserveOneByte)
  bytes[0] = layout
  return bytes
}

/**
 * What `read` makes of the fields.
 * @throws {StoreCorrupted} The bytes are of a newer release, or are not what was written; nothing else is thrown.
 */
export function unpack<Value>(layout: number, bytes: Uint8Array, read: (fields: readonly unknown[]) => Value): Value {
  const fields = fieldsOf(layout, bytes)
  try {
    return read(fields)
  } catch (error) {
    if (error instanceof StoreCorrupted) throw error
    throw new StoreCorrupted('a value has fields of another kind', { cause: error })
  }
}

function fieldsOf(layout: number, bytes: Uint8Array): readonly unknown[] {
  if (bytes[0] !== layout) {
    throw new StoreCorrupted(`a value has layout ${bytes[0] ?? 'none'}; this release reads ${layout}`)
  }
  const body = bytes.subarray(1)
  let fields: unknown
  let end = 0
  try {
    // Asked for one value alone, the library would write all of it into the message of its error where more follows.
    packr.unpackMultiple(body, (value, _from, to) => {
      fields = value
      end = to ?? 0
      return false
    })
  } catch (error) {
    throw new StoreCorrupted('a value cannot be decoded', { cause: error })
  }
  if (end !== body.length) throw new StoreCorrupted('a value goes on behind its end')
  if (!Array.isArray(fields)) throw new StoreCorrupted('a value is not a list of fields')
  return fields
}
