// The records of a file that LevelDB appends to, as its MANIFEST. Blocks of 32 KiB hold fragments, none crosses a block:
//
//   fragment   crc(4) length(2) type(1) bytes      a record is FULL, or FIRST MIDDLE… LAST
//
// A file that ends within a record, or in zeros, is one whose writer died there. Anything else that does not fit is damage.
import { StoreCorrupted } from '../../base/errors.ts'
import { crc32c, masked } from './crc32c.ts'

const blockBytes = 32_768
const headBytes = 7
const full = 1
const first = 2
const last = 4

/** The whole records of a file, in order; not one that its end cuts off. @throws {StoreCorrupted} */
export function* recordsOf(file: Buffer): Generator<Buffer> {
  let open: Buffer[] | undefined
  for (let at = 0; ;) {
    const roomInBlock = blockBytes - (at % blockBytes)
    if (roomInBlock < headBytes) at += roomInBlock
    if (file.length - at < headBytes) return
    const length = file.readUInt16LE(at + 4)
    const type = file[at + 6]!
    const end = at + headBytes + length
    if (type === 0 && length === 0) {
      if (file.subarray(at).some((byte) => byte !== 0)) throw new StoreCorrupted(`there is a hole at ${at}`)
      return
    }
    if (headBytes + length > roomInBlock) throw new StoreCorrupted(`the length at ${at} is wrong`)
    if (end > file.length) return
    if (file.readUInt32LE(at) !== masked(crc32c(file, at + 6, end))) {
      throw new StoreCorrupted(`the checksum at ${at} is wrong`)
    }
    const isBeginning = type === full || type === first
    if (type > last || isBeginning !== (open === undefined)) throw new StoreCorrupted(`no record begins at ${at}`)
    open ??= []
    open.push(file.subarray(at + headBytes, end))
    if (type === full || type === last) {
      yield open.length === 1 ? open[0]! : Buffer.concat(open)
      open = undefined
    }
    at = end
  }
}
