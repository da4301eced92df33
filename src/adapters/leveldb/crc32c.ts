// CRC-32C (Castagnoli), which LevelDB and Kafka use and node:zlib does not have: eight bytes at a time by eight tables.

const polynomial = 0x82f63b78
const lanes = 8
const tables = buildTables()

/** The CRC-32C of `bytes` from `start` to `end`, unsigned. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let crc = -1
  let at = start
  for (; at + lanes <= end; at += lanes) {
    const low = view.getInt32(at, true) ^ crc
    const high = view.getInt32(at + 4, true)
    crc =
      tables[0x700 + (low & 0xff)]! ^
      tables[0x600 + ((low >>> 8) & 0xff)]! ^
      tables[0x500 + ((low >>> 16) & 0xff)]! ^
      tables[0x400 + (low >>> 24)]! ^
      tables[0x300 + (high & 0xff)]! ^
      tables[0x200 + ((high >>> 8) & 0xff)]! ^
      tables[0x100 + ((high >>> 16) & 0xff)]! ^
      tables[high >>> 24]!
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[at]!) & 0xff]!
  return ~crc >>> 0
}

/** A checksum as LevelDB stores it: masked, so that data which holds checksums does not checksum to something simple. */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** One after another: table n holds the CRC of a byte that n zero bytes follow. */
function buildTables(): Int32Array {
  const built = new Int32Array(lanes * 0x100)
  for (let byte = 0; byte < 0x100; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    built[byte] = crc
  }
  for (let at = 0x100; at < built.length; at++) {
    const before = built[at - 0x100]!
    built[at] = (before >>> 8) ^ built[before & 0xff]!
  }
  return built
}
