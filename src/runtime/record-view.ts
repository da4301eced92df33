// Bytes of records as people and JSON take them: text where they are UTF-8, base64 where not.
import type { Json } from '../base/json.ts'
import { toBase64 } from '../base/base64.ts'
import { isTooDeep } from '../base/json-depth.ts'

const strict = new TextDecoder('utf-8', { fatal: true })

/** undefined: it is not UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** A key as text, or as base64. */
export function keyView(bytes: Uint8Array | null): { readonly key: string | null; readonly keyBase64?: string } {
  if (bytes === null) return { key: null }
  const key = textOf(bytes)
  return key === undefined ? { key: null, keyBase64: toBase64(bytes) } : { key }
}

/** A value as JSON, as text, or as base64. JSON that is nested too deeply is text: it could not be written again. */
export function valueView(bytes: Uint8Array | null): { readonly value: Json; readonly valueBase64?: string } {
  if (bytes === null) return { value: null }
  const text = textOf(bytes)
  return text === undefined
    ? { value: null, valueBase64: toBase64(bytes) }
    : { value: isTooDeep(bytes) ? text : jsonOf(text) }
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

/** RFC 3339; null: the producer gave a time that is none. */
export function timeView(ms: number): string | null {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}
