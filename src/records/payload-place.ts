// Where the payloads of a row lie: in it, or as values of their own, of which only the keys stand in it.
import { limits } from '../base/limits.ts'
import { Payload } from '../engine/payload.ts'
import { bytes } from './fields.ts'
import { payloadKey } from './keys.ts'

export interface PlacedPayloads {
  /** Values of their own that are to be written with the row. */
  readonly payloads: readonly { readonly key: string; readonly payload: Payload }[]
  /** Keys of all its values of their own. */
  readonly stored: readonly string[]
}

/**
 * Gives a payload as the field that stands for it. Its place in the instance names it: which task, where it is one's, and
 * what of it.
 */
export type Place = (payload: Payload | undefined, task: number | string, what: string) => Uint8Array | string | null

/** Places the payloads of one row: one that is large, or one too many, is a value of its own. */
export function payloadPlaces(instanceId: string): PlacedPayloads & { readonly place: Place } {
  const payloads: { key: string; payload: Payload }[] = []
  const stored: string[] = []
  let inlineBytes = 0
  const place: Place = (payload, task, what) => {
    if (payload === undefined) return null
    if (payload.storedAs !== undefined) {
      stored.push(payload.storedAs)
      return payload.storedAs
    }
    const { length } = payload.bytes
    if (length <= limits.payloadInlineBytesMax && inlineBytes + length <= limits.inlineBytesMax) {
      inlineBytes += length
      return payload.bytes
    }
    const key = payloadKey(instanceId, `${task}${what}`)
    payloads.push({ key, payload })
    stored.push(key)
    return key
  }
  return { payloads, stored, place }
}

/** @param load reads a payload that is a value of its own, by its key. @throws {StoreCorrupted} */
export function payloadOf(field: unknown, load: (key: string) => Uint8Array): Payload | undefined {
  if (field === null || field === undefined) return undefined
  if (typeof field === 'string') return Payload.stored(field, () => load(field))
  return Payload.ofBytes(bytes(field))
}
