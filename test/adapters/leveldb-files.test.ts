import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ClassicLevel } from 'classic-level'
import fc from 'fast-check'
import { crc32c } from '../../src/adapters/leveldb/crc32c.ts'
import { readManifest } from '../../src/adapters/leveldb/manifest.ts'
import { recordsOf } from '../../src/adapters/leveldb/record-log.ts'
import { decodeSnappy } from '../../src/adapters/leveldb/snappy.ts'
import { verifyTable } from '../../src/adapters/leveldb/table.ts'
import { verifyFiles } from '../../src/adapters/leveldb/verify.ts'
import { StoreCorrupted } from '../../src/base/errors.ts'

type Level = ClassicLevel

/** A database that was filled, then compacted into tables. */
async function compacted(t: TestContext, fill: (level: Level) => Promise<void>, options = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'dw-leveldb-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const level: Level = new ClassicLevel(directory, options)
  await level.open()
  await fill(level)
  await level.compactRange('', '~')
  await level.close()
  return directory
}

const putEach = (entries: number, value: (n: number) => string) => async (level: Level) => {
  await level.batch(Array.from({ length: entries }, (_, n) => ({ type: 'put', key: `key ${n}`, value: value(n) })))
}

function manifestIn(directory: string) {
  return readManifest(readFileSync(join(directory, readFileSync(join(directory, 'CURRENT'), 'utf8').trim())))
}

/** The only table of a database, and what the MANIFEST says of it. */
function tableIn(directory: string) {
  const { tables } = manifestIn(directory)
  assert.equal(tables.length, 1)
  const name = readdirSync(directory).find((file) => file.endsWith('.ldb'))!
  return { file: readFileSync(join(directory, name)), entry: tables[0]! }
}

test('the checksum is CRC-32C, from any byte to any other', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa)
  assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43)
  assert.equal(crc32c(Buffer.from('..123456789.').subarray(1), 1, 10), 0xe3069283)
  assert.equal(crc32c(Buffer.alloc(0)), 0)
})

test('tables of all kinds are as LevelDB wrote them: many blocks, compressed or not, large values, one entry', async (t) => {
  const noise = (n: number) => Array.from({ length: 300 }, (_, i) => String.fromCharCode((n * 7 + i * i) % 91)).join('')
  for (const options of [{}, { compression: false }]) {
    for (const fill of [
      putEach(1, () => ''),
      putEach(2_000, noise),
      putEach(2_000, (n) => `${n % 3}`.repeat(500)),
      putEach(12, (n) => `${n}`.repeat(300_000)),
    ]) {
      await verifyFiles(await compacted(t, fill, options))
    }
  }
})

test('any flipped bit of a table is told, but for the padding of its footer: F1', async (t) => {
  const { file, entry } = tableIn(
    await compacted(
      t,
      putEach(40, (n) => `${n} `.repeat(20)),
    ),
  )
  assert.ok(file.length < 4_000)
  const untold = new Set<number>()
  for (let bit = 0; bit < file.length * 8; bit++) {
    file[bit >> 3]! ^= 1 << (bit & 7)
    try {
      verifyTable(file, entry)
      untold.add(bit >> 3)
    } catch (error) {
      assert.ok(error instanceof StoreCorrupted, String(error))
    }
    file[bit >> 3]! ^= 1 << (bit & 7)
  }
  const footer = file.subarray(-48)
  const padding = [...untold].map((at) => at - (file.length - 48))
  // The last digit of the last number too, where the flip makes it go on with a zero.
  assert.ok(padding.every((at) => at > 0 && at < 40 && (footer[at] === 0 || footer[at + 1] === 0)))
})

test('a table is not taken for another of the same length: F2', async (t) => {
  const digits = (shift: number) => async (level: Level) => {
    for (let n = 0; n < 10; n++) await level.put(`key ${n + shift}`, 'value')
  }
  const [one, other] = [tableIn(await compacted(t, digits(10))), tableIn(await compacted(t, digits(30)))]
  assert.equal(one.file.length, other.file.length)
  verifyTable(one.file, one.entry)
  assert.throws(() => verifyTable(one.file, other.entry), StoreCorrupted)
})

test('a MANIFEST that is cut gives what was whole before, any flipped bit the same or a problem', async (t) => {
  const directory = await compacted(t, putEach(100, String))
  const manifest = readFileSync(join(directory, readFileSync(join(directory, 'CURRENT'), 'utf8').trim()))
  const records = [...recordsOf(manifest)].length
  assert.ok(records > 1)
  let before = records
  for (let bytes = manifest.length; bytes >= 0; bytes--) {
    const left = [...recordsOf(manifest.subarray(0, bytes))].length
    assert.ok(left === before || left === before - 1)
    before = left
  }
  assert.equal(before, 0)
  const whole = JSON.stringify(readManifest(manifest))
  let told = 0
  for (let bit = 0; bit < manifest.length * 8; bit++) {
    manifest[bit >> 3]! ^= 1 << (bit & 7)
    try {
      // A length that reaches beyond the end looks like a cut.
      if (JSON.stringify(readManifest(manifest)) !== whole) assert.ok([...recordsOf(manifest)].length < records)
    } catch (error) {
      assert.ok(error instanceof StoreCorrupted, String(error))
      told++
    }
    manifest[bit >> 3]! ^= 1 << (bit & 7)
  }
  assert.ok(told > manifest.length * 7)
})

test('zeros behind the records are an end, anything behind zeros is a hole', () => {
  assert.deepEqual([...recordsOf(Buffer.alloc(100_000))], [])
  const hole = Buffer.alloc(100_000)
  hole[70_000] = 1
  assert.throws(() => [...recordsOf(hole)], StoreCorrupted)
})

test('literals and copies of every length are decoded, and a copy may reach into what it writes', () => {
  const decode = (hex: string) => decodeSnappy(Buffer.from(hex.replaceAll(' ', ''), 'hex')).toString()
  assert.equal(decode('00'), '')
  assert.equal(decode('03 08 616263'), 'abc')
  assert.equal(decode('0b 04 6162 15 02'), 'abababababa')
  assert.equal(decode('06 08 616263 0a 0300'), 'abcabc')
  assert.equal(decode('06 08 616263 0b 03000000'), 'abcabc')
  assert.equal(decode(`64 f0 63 ${'61'.repeat(100)}`), 'a'.repeat(100))
})

test('no bytes make any reader throw anything but StoreCorrupted', () => {
  const entry = { number: 1, bytes: 0, smallest: Buffer.alloc(8), largest: Buffer.alloc(8) }
  const readers: ((bytes: Buffer) => unknown)[] = [
    decodeSnappy,
    readManifest,
    (bytes) => verifyTable(bytes, { ...entry, bytes: bytes.length }),
    (bytes) =>
      verifyTable(Buffer.concat([bytes, Buffer.from('57fb808b247547db', 'hex')]), {
        ...entry,
        bytes: bytes.length + 8,
      }),
  ]
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...readers), (bytes, read) => {
      try {
        read(Buffer.from(bytes))
      } catch (error) {
        assert.ok(error instanceof StoreCorrupted, String(error))
      }
    }),
    { numRuns: 5_000, seed: 7 },
  )
})
