// The bytes of keys and values, and what expressions see of them: by the format that the workflow declares for the topic.
import { fromBase64, toBase64 } from '../base/base64.ts'
import type { Json } from '../base/json.ts'
import { isTooDeep } from '../base/json-depth.ts'
import { limits } from '../base/limits.ts'
import { utf8 } from '../base/utf8.ts'
import type { KeyFormat, RegisteredFormat, TopicFormat, ValueFormat } from '../definition/topic-format.ts'
import { defaultFormat } from '../definition/topic-format.ts'
import type { Workflow } from '../definition/workflow.ts'

/** schema-unknown: the registry has none of that id, or none that can be used. schema-misfit: the bytes are not of it. */
export type SchemaProblem = 'schema-unknown' | 'schema-misfit'

/** What bytes are by their schema: JSON, or why not. */
export type DecodedPart = { readonly json: Uint8Array } | { readonly code: SchemaProblem; readonly message: string }

/** Of a record whose schemas are in a registry: found out when it is read, since the engine waits for nothing. */
export interface Decoded {
  readonly key: DecodedPart | undefined
  readonly value: DecodedPart | undefined
}

/** The record cannot be used; the code is the reason in the dead-letter topic. */
export class UnusableRecord extends Error {
  readonly code:
    | 'not-json'
    | 'not-text'
    | 'key-not-text'
    | 'key-not-json'
    | 'key-not-integer'
    | SchemaProblem
    | 'too-deep'
    | 'record-too-large'
  constructor(code: UnusableRecord['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** A key or value is not what the topic's format can hold: its task fails. */
export class Misfit extends Error {
  readonly code = 'produce-rejected'
}

/** How a workflow reads and writes a topic. */
export const formatOf = (workflow: Workflow, topic: string): TopicFormat => workflow.formats.get(topic) ?? defaultFormat

const strict = new TextDecoder('utf-8', { fatal: true })
/** Keeps a byte order mark, which belongs to a text that is handed on. */
const exact = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws {UnusableRecord} */
export function readValue(bytes: Uint8Array, format: ValueFormat, decoded?: Decoded): Json {
  switch (format) {
    case 'avro':
    case 'protobuf':
    case 'json-schema':
      return decodedAs(decoded?.value, 'value')
    case 'json':
      return parse(bytes, 'value')
    case 'string':
      return textOf(bytes, 'value')
    case 'bytes':
      return toBase64(bytes)
  }
}

/** @throws {UnusableRecord} */
export function readKey(bytes: Uint8Array, format: KeyFormat, decoded?: Decoded): Json {
  switch (format) {
    case 'avro':
    case 'protobuf':
    case 'json-schema':
      return decodedAs(decoded?.key, 'key')
    case 'string':
      return textOf(bytes, 'key')
    case 'json':
      return parse(bytes, 'key')
    case 'bytes':
      return toBase64(bytes)
    case 'int':
    case 'long': {
      const size = integerBytes[format]
      if (bytes.length !== size)
        throw new UnusableRecord('key-not-integer', `the key has ${bytes.length} bytes: an ${format} has ${size}`)
      return BigInt.asIntN(size * 8, unsigned(bytes)).toString()
    }
  }
}

/** @throws {Misfit} */
export function writeValue(value: Json, format: Exclude<ValueFormat, RegisteredFormat>): Uint8Array {
  switch (format) {
    case 'json':
      return utf8(JSON.stringify(value))
    case 'string':
      if (typeof value === 'string') return utf8(value)
      throw misfit('value', 'a text', value)
    case 'bytes':
      return bytesOf(value, 'value')
  }
}

/** @throws {Misfit} */
export function writeKey(key: Json, format: Exclude<KeyFormat, RegisteredFormat>): Uint8Array {
  switch (format) {
    case 'string':
      return utf8(typeof key === 'string' ? key : JSON.stringify(key))
    case 'json':
      return utf8(JSON.stringify(key))
    case 'bytes':
      return bytesOf(key, 'key')
    case 'int':
    case 'long': {
      const size = integerBytes[format]
      const number = integerOf(key)
      if (number !== undefined && BigInt.asIntN(size * 8, number) === number) return bigEndian(number, size)
      throw misfit('key', `a whole number of ${size} bytes`, key)
    }
  }
}

function decodedAs(part: DecodedPart | undefined, what: 'key' | 'value'): Json {
  if (part === undefined)
    throw new UnusableRecord('schema-unknown', `the ${what} came before a workflow wanted its schema`)
  if ('code' in part) throw new UnusableRecord(part.code, `the ${what}: ${part.message}`)
  return parse(part.json, what)
}

const integerBytes = { int: 4, long: 8 } as const

function unsigned(bytes: Uint8Array): bigint {
  let number = 0n
  for (const byte of bytes) number = (number << 8n) | BigInt(byte)
  return number
}

function bigEndian(number: bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let left = BigInt.asUintN(size * 8, number)
  for (let at = size - 1; at >= 0; at--) {
    bytes[at] = Number(left & 0xffn)
    left >>= 8n
  }
  return bytes
}

/** A number is exact up to 2^53; what is larger comes as its digits. */
function integerOf(key: Json): bigint | undefined {
  if (typeof key === 'number') return Number.isSafeInteger(key) ? BigInt(key) : undefined
  return typeof key === 'string' && /^-?[0-9]{1,20}$/.test(key) ? BigInt(key) : undefined
}

function bytesOf(given: Json, what: 'key' | 'value'): Uint8Array {
  const bytes = typeof given === 'string' ? fromBase64(given) : undefined
  if (bytes === undefined) throw misfit(what, 'base64', given)
  return bytes
}

function misfit(what: 'key' | 'value', expected: string, found: Json): Misfit {
  const text = JSON.stringify(found)
  return new Misfit(`${what}: expected ${expected}, found ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`)
}

function textOf(bytes: Uint8Array, what: 'key' | 'value'): string {
  try {
    return exact.decode(bytes)
  } catch {
    if (what === 'value') throw new UnusableRecord('not-text', 'the value is not UTF-8 text')
    throw new UnusableRecord(
      'key-not-text',
      'the key is not UTF-8 text; what else it is, `keyFormat` under `topics` says',
    )
  }
}

function parse(bytes: Uint8Array, what: 'key' | 'value'): Json {
  // A nesting of n takes 2n bytes: most records need not be looked through.
  if (bytes.length > 2 * limits.jsonDepthMax && isTooDeep(bytes))
    throw new UnusableRecord('too-deep', `the ${what} is nested deeper than ${limits.jsonDepthMax}`)
  try {
    return JSON.parse(strict.decode(bytes)) as Json
  } catch (error) {
    throw new UnusableRecord(
      what === 'key' ? 'key-not-json' : 'not-json',
      `the ${what} is not JSON: ${error instanceof Error ? error.message : 'unreadable'}`,
    )
  }
}
