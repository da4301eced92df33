// A table file of LevelDB, checked byte by byte: LevelDB, as classic-level opens it, verifies no checksum when it reads, and
// a flipped bit in an index, a filter or a key makes other keys silently missing.
//
//   table    block…  filter?  metaindex  index  footer
//   block    content type(1) crc(4)                        the checksum is over content and type, as stored
//   content  entry… restart(4)… restarts(4)                an entry shares the beginning of its key with the one before
//   footer   metaindex index padding magic(8)              handles: offset and length, varints
//
//   F1. The blocks lie one behind another from the first byte to the footer, so every byte is under a checksum.
//   F2. The first and the last key are those that the MANIFEST names: no other table has taken its place.
import { StoreCorrupted } from '../../base/errors.ts'
import { crc32c, masked } from './crc32c.ts'
import { Fields } from './fields.ts'
import type { TableEntry } from './manifest.ts'
import { decodeSnappy } from './snappy.ts'

const footerBytes = 48
const magic = Buffer.from('57fb808b247547db', 'hex')
const trailerBytes = 5
const uncompressed = 0
const snappy = 1

interface Handle {
  readonly offset: number
  readonly length: number
}

/** Checks the content of a table against its checksums and its entry in the MANIFEST. @throws {StoreCorrupted} */
export function verifyTable(file: Buffer, { bytes, smallest, largest }: TableEntry): void {
  if (file.length !== bytes) throw new StoreCorrupted(`it has ${file.length} bytes instead of ${bytes}`)
  if (bytes < footerBytes || !file.subarray(-magic.length).equals(magic)) throw new StoreCorrupted('it is no table')
  const footer = new Fields(file.subarray(-footerBytes))
  const metaindex = handleOf(footer)
  const index = handleOf(footer)
  expectWhole(file, index)
  expectWhole(file, metaindex)
  const blocks = entriesOf(file, index).map(({ value }) => handleOf(new Fields(value)))
  const filters = entriesOf(file, metaindex).map(({ value }) => handleOf(new Fields(value)))
  let end = 0
  for (const block of [...blocks, ...filters]) {
    expectAt(block, end)
    expectWhole(file, block)
    end += block.length + trailerBytes
  }
  expectAt(metaindex, end)
  expectAt(index, end + metaindex.length + trailerBytes)
  expectAt({ offset: bytes - footerBytes, length: 0 }, index.offset + index.length + trailerBytes)
  const [firstBlock, lastBlock] = [blocks[0], blocks.at(-1)]
  const firstKey = firstBlock && entriesOf(file, firstBlock)[0]?.key
  const lastKey = lastBlock && entriesOf(file, lastBlock).at(-1)?.key
  if (firstKey?.equals(smallest) !== true || lastKey?.equals(largest) !== true) {
    throw new StoreCorrupted('F2: it holds other keys than it should')
  }
}

function handleOf(fields: Fields): Handle {
  return { offset: fields.varint(), length: fields.varint() }
}

function expectAt({ offset }: Handle, expected: number): void {
  if (offset !== expected) throw new StoreCorrupted(`F1: a block is said to be at ${offset} instead of ${expected}`)
}

function expectWhole(file: Buffer, { offset, length }: Handle): void {
  const end = offset + length + 1
  if (end + 4 > file.length) throw new StoreCorrupted(`the block at ${offset} reaches beyond the end`)
  if (file.readUInt32LE(end) !== masked(crc32c(file, offset, end))) {
    throw new StoreCorrupted(`the block at ${offset} fails its checksum`)
  }
}

/** The entries of a block whose checksum is right. */
function entriesOf(file: Buffer, { offset, length }: Handle): { key: Buffer; value: Buffer }[] {
  const stored = file.subarray(offset, offset + length)
  const type = file[offset + length]
  if (type !== uncompressed && type !== snappy) throw new StoreCorrupted(`the block at ${offset} is of type ${type}`)
  const block = type === snappy ? decodeSnappy(stored) : stored
  const restarts = block.length < 4 ? Infinity : block.readUInt32LE(block.length - 4)
  const entriesEnd = block.length - 4 - restarts * 4
  if (entriesEnd < 0) throw new StoreCorrupted(`the block at ${offset} has no entries`)
  const fields = new Fields(block.subarray(0, entriesEnd))
  const entries: { key: Buffer; value: Buffer }[] = []
  let key: Buffer = Buffer.alloc(0)
  while (!fields.isAtEnd) {
    const shared = fields.varint()
    const added = fields.varint()
    const valueBytes = fields.varint()
    key = Buffer.concat([key.subarray(0, shared), fields.bytes(added)])
    entries.push({ key, value: fields.bytes(valueBytes) })
  }
  return entries
}
