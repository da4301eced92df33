import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Checkpoint } from '../../src/adapters/embedded/checkpoint.ts'
import { StoreCorrupted } from '../../src/base/errors.ts'

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'dw-checkpoint-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

function numberIn(directory: string): number {
  const checkpoint = new Checkpoint(directory)
  checkpoint.close()
  return checkpoint.number
}

/** The file after it moved on to each of the numbers. */
function written(directory: string, numbers: readonly number[]): { path: string; content: Buffer } {
  const checkpoint = new Checkpoint(directory)
  for (const number of numbers) checkpoint.advance(number)
  checkpoint.close()
  const path = join(directory, 'checkpoint')
  return { path, content: readFileSync(path) }
}

test('a checkpoint claims nothing before its first link, and makes no file', async (t) => {
  const directory = await folder(t)
  assert.equal(numberIn(directory), -1)
  assert.deepEqual(readdirSync(directory), [])
})

test('what a checkpoint moved on to is there when it is opened again, and it goes on from there', async (t) => {
  const directory = await folder(t)
  for (const numbers of [[0], [1], [2, 3, 4], [2 ** 40], [2 ** 40 + 1, 2 ** 40 + 2]]) {
    written(directory, numbers)
    assert.equal(numberIn(directory), numbers.at(-1))
  }
})

test('any flipped bit leaves the last number or the one before it: K2', async (t) => {
  const directory = await folder(t)
  const { path, content } = written(directory, [5, 6, 7])
  const found = new Set<number>()
  for (let bit = 0; bit < content.length * 8; bit++) {
    // Most of the file is the distance between the slots.
    if (bit > 200 && bit < (content.length - 20) * 8 && bit % 997 !== 0) continue
    const flipped = Buffer.from(content)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    writeFileSync(path, flipped)
    found.add(numberIn(directory))
  }
  assert.deepEqual(found, new Set([7, 6]))
})

test('a lost page leaves the number before, lost bytes at the end too', async (t) => {
  const directory = await folder(t)
  const { path, content } = written(directory, [6, 7])
  writeFileSync(path, Buffer.from(content).fill(0, 4_096))
  assert.equal(numberIn(directory), 6)
  writeFileSync(path, content.subarray(0, -1))
  assert.equal(numberIn(directory), 6)
  writeFileSync(path, Buffer.from(content).fill(0, 0, 4_096))
  assert.equal(numberIn(directory), 7)
})

test('a checkpoint that is not even one is damage; one that was never written claims nothing', async (t) => {
  const directory = await folder(t)
  const { path } = written(directory, [1, 2])
  writeFileSync(path, 'something else altogether')
  assert.throws(() => new Checkpoint(directory), StoreCorrupted)
  for (const bytes of [0, 11, 5_000]) {
    writeFileSync(path, Buffer.alloc(bytes))
    assert.equal(numberIn(directory), -1)
  }
})
