// Durations as people write them: 250ms, 30s, 1h30m, 7d, or ISO 8601 (PT1H30M, P1D).
// Years and months are refused: they have no fixed length.

const day = 86_400_000
const units = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', day],
  ['w', 7 * day],
])

/** Ten years: what is due later is a mistake, and timers must stay far below 2^53. */
const durationMsMax = 3_650 * day

const short = /^(?:\d{1,15}(?:\.\d{1,9})?(?:ms|s|m|h|d|w))+$/
const shortPart = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g
const number = String.raw`(\d{1,15}(?:\.\d{1,9})?)`
const iso = new RegExp(`^P(?:${number}W)?(?:${number}D)?(?:T(?:${number}H)?(?:${number}M)?(?:${number}S)?)?$`)
const isoUnits = [7 * day, day, 3_600_000, 60_000, 1_000]

/** Milliseconds (whole, 0 to ten years) of a duration text; undefined where it is none. */
export function parseDuration(text: string): number | undefined {
  if (text.length > 100) return undefined
  const ms = text.startsWith('P') ? isoMs(text) : shortMs(text)
  return ms === undefined || ms > durationMsMax ? undefined : Math.round(ms)
}

function shortMs(text: string): number | undefined {
  if (!short.test(text)) return undefined
  let ms = 0
  let previous = Infinity
  for (const [, amount, unit] of text.matchAll(shortPart)) {
    const size = units.get(unit!)!
    if (size >= previous) return undefined // "30m1h" and "1h1h" are slips of the pen
    previous = size
    ms += Number(amount) * size
  }
  return ms
}

function isoMs(text: string): number | undefined {
  const match = iso.exec(text)
  if (match === null || text.endsWith('T') || text === 'P') return undefined
  return isoUnits.reduce((ms, size, index) => ms + Number(match[index + 1] ?? 0) * size, 0)
}
