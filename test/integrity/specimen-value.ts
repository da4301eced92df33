// Values of a specimen, and how they are held against what is read.
import assert from 'node:assert/strict'
import type { Random } from '../simulation/random.ts'

export interface Extent {
  /** How many keys come, change and go. */
  readonly keys: number
  readonly valueBytesMax: number
}

/** Bytes of any length up to the largest: half of them noise, half the same byte over and over, which compresses. */
export function randomValue(random: Random, { valueBytesMax }: Extent): Buffer {
  const value = Buffer.alloc(random.int(valueBytesMax), random.int(256))
  if (random.chance(0.5)) for (let at = 0; at < value.length; at++) value[at] = random.int(256)
  return value
}

export function keysOf({ keys }: Extent): readonly string[] {
  return Array.from({ length: keys }, (_, n) => `key-${n}`)
}

/** Fails where a value is not the one that was written; undefined where there is none. */
export function expectSame(found: Uint8Array | undefined, written: Uint8Array | undefined, what: string): void {
  const isSame = found === undefined || written === undefined ? found === written : Buffer.compare(found, written) === 0
  assert.ok(isSame, `${what} gives ${describe(found)} instead of ${describe(written)}`)
}

function describe(value: Uint8Array | undefined): string {
  return value === undefined ? 'nothing' : `${value.length} bytes`
}
