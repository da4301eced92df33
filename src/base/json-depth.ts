// How deep a JSON text is nested, known before it is parsed: recursive code behind it never meets more.
import { limits } from './limits.ts'

const [quote, backslash, openList, closeList, openObject, closeObject] = new TextEncoder().encode('"\\[]{}')

/** Counts brackets outside of strings, on bytes: one of a longer UTF-8 character is never one of these. */
export function isTooDeep(bytes: Uint8Array): boolean {
  let depth = 0
  let isInString = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (isInString) {
      if (byte === backslash) at++
      else if (byte === quote) isInString = false
    } else if (byte === quote) isInString = true
    else if (byte === openList || byte === openObject) {
      if (++depth > limits.jsonDepthMax) return true
    } else if (byte === closeList || byte === closeObject) depth--
  }
  return false
}
