// ULIDs: 48 bits of time and 80 random bits as 26 letters and digits, lower-case here so that an id can stand in a
// URL, a file name and a shell without thinking. Within a millisecond, and while the clock stands still or goes back,
// the random part counts up: ids of one process always sort by creation.
import { randomBytes } from 'node:crypto'
import type { Ids } from '../../runtime/ports.ts'

/** Crockford's base 32: no i, l, o, u. */
const digits = '0123456789abcdefghjkmnpqrstvwxyz'
const timeDigits = 10
const randomDigits = 16
const idBytes = 10

/** Ids for one process. The clock and the randomness (ten bytes a call) can be given. */
export function createIds(nowMs: () => number = Date.now, random: () => Uint8Array = pooledRandom()): Ids {
  let lastMs = -1
  let time = ''
  /** The values of the random part's digits, the first one first. */
  const entropy = new Uint8Array(randomDigits)
  const begin = (ms: number): void => {
    lastMs = ms
    time = timeText(ms)
  }
  return {
    next() {
      const now = nowMs()
      if (now > lastMs) {
        begin(now)
        spread(random(), entropy)
      } else if (!increment(entropy)) begin(lastMs + 1) // all 2^80 of this millisecond are behind us: the next one begins early
      let text = time
      for (const digit of entropy) text += digits[digit]
      return text
    },
  }
}

/** Ten bytes a call, drawn many at a time: asking the system costs far more than the bytes. */
function pooledRandom(): () => Uint8Array {
  let pool = new Uint8Array(0)
  let at = 0
  return () => {
    if (at + idBytes > pool.length) {
      pool = randomBytes(idBytes * 256)
      at = 0
    }
    at += idBytes
    return pool.subarray(at - idBytes, at)
  }
}

function timeText(ms: number): string {
  let text = ''
  let rest = ms
  for (let i = 0; i < timeDigits; i++) {
    text = digits[rest % 32]! + text
    rest = Math.floor(rest / 32)
  }
  return text
}

/** Five bits of the bytes for each digit. */
function spread(bytes: Uint8Array, into: Uint8Array): void {
  let bits = 0
  let held = 0
  let at = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    bits += 8
    for (; bits >= 5 && at < into.length; at++) {
      bits -= 5
      into[at] = (held >> bits) & 31
    }
  }
}

/** Counts up by one; false where it came round to zero. */
function increment(entropy: Uint8Array): boolean {
  for (let at = entropy.length - 1; at >= 0; at--) {
    const next = (entropy[at]! + 1) & 31
    entropy[at] = next
    if (next !== 0) return true
  }
  return false
}
