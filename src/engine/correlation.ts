// Correlation values are compared and hashed as canonical UTF-8 text: a text as it is, an integer in decimal;
// anything else is an error, because two sides would render it differently (design section 3). So is a text with half a
// surrogate pair: it has no UTF-8, and two of them would become one key.
import type { Json } from '../base/json.ts'

/** The canonical text of a correlation value; undefined where the value cannot be one. */
export function canonicalText(value: Json): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? value : undefined
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value.toString()
  return undefined
}
