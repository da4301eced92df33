// The canonical form of a document, and the address of its content (design D5): the same document, however it was
// laid out, commented or ordered, is the same version on every worker.
import { createHash } from 'node:crypto'
import type { Json } from '../base/json.ts'
import { isList, isObject } from './cursor.ts'

/** JSON with the keys of every object sorted by code unit, lists as they are, and no white space. */
export function canonicalJson(value: Json): string {
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const keys = Object.keys(value).sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key]!)}`).join(',')}}`
}

/** "order@3f9c2a1b": the name, and the first 8 hex digits of the SHA-256 of the canonical JSON. */
export function versionOf(name: string, source: string): string {
  return `${name}@${digestOf(source).slice(0, 8)}`
}

/** SHA-256, in hex. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
