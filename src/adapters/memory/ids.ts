import type { Ids } from '../../runtime/ports.ts'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * Ids like ULIDs from a given source of numbers in [0, 1): ten letters of time, in ms, then sixteen that are drawn.
 * Ids of one source ascend, whatever the clock does.
 */
export function seededIds(random: () => number, nowMs: () => number = () => 0): Ids {
  let timeMs = -1
  return {
    next() {
      timeMs = Math.max(timeMs + 1, nowMs())
      let id = timeText(timeMs)
      for (let drawn = 0; drawn < 16; drawn++) id += alphabet[Math.floor(random() * alphabet.length)]!
      return id
    },
  }
}

function timeText(timeMs: number): string {
  let text = ''
  for (let rest = timeMs; rest > 0; rest = Math.floor(rest / alphabet.length)) {
    text = alphabet[rest % alphabet.length]! + text
  }
  return text.padStart(10, '0')
}
