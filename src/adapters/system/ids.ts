// ULIDs: 48 bits of time and 80 random bits as 26 letters and digits, lower-case here so that an id can stand in a
// URL, a file name and a shell without thinking. Within a millisecond, and while the clock stands still or goes back,
// the random part counts up: ids of one process always sort by creation.
import { randomBytes } from 'node:crypto'
import type { Ids } from '../../runtime/ports.ts'

/** Crockford's base 32: no i, l, o, u. */
const digits = '0123456789abcdefghjkmnpqrstvwxyz'
const randomBits = 80n
const timeDigits = 10
const randomDigits = 16

/** Ids for one process. The clock and the randomness (ten bytes a call) can be given. */
export function createIds(nowMs: () => number = Date.now, random: () => Uint8Array = () => randomBytes(10)): Ids {
  let lastMs = -1
  let entropy = 0n
  return {
    next() {
      const now = nowMs()
      if (now > lastMs) {
        lastMs = now
        entropy = BigInt(`0x${Buffer.from(random()).toString('hex')}`)
      } else {
        entropy += 1n
        if (entropy >> randomBits !== 0n) {
          // All 2^80 of this millisecond are behind us: the next one begins early.
          entropy = 0n
          lastMs += 1
        }
      }
      return base32(BigInt(lastMs), timeDigits) + base32(entropy, randomDigits)
    },
  }
}

function base32(value: bigint, length: number): string {
  let text = ''
  let rest = value
  for (let i = 0; i < length; i++) {
    text = digits[Number(rest & 31n)]! + text
    rest >>= 5n
  }
  return text
}
