// The bodies and answers of Confluent's REST Proxy v2 for producing, between its words and the worker's.
//   application/vnd.kafka.json.v2+json     keys and values are JSON: a value becomes its JSON text; of keys, a string is
//   (and application/json)                 its own text and anything else its JSON text; a null value is a tombstone
//   application/vnd.kafka.binary.v2+json   keys and values are base64 and become their bytes
// Beyond Confluent's: `headers`, an object of texts. Not taken: schema members, which belong to Avro, JSON Schema and
// Protobuf formats. Numbers go through JavaScript: integers beyond 2^53 need the binary type to stay exact.
import { fromBase64 } from '../base/base64.ts'
import type { Json } from '../base/json.ts'
import type { ProduceRecord, ProduceResult } from '../runtime/face.ts'
import { httpLimits } from './limits.ts'
import { HttpProblem } from './problem.ts'
import { json, list, object, text } from './schemas.ts'
import type { Schema } from './schemas.ts'

export const produceTypes = {
  plain: 'application/json',
  json: 'application/vnd.kafka.json.v2+json',
  binary: 'application/vnd.kafka.binary.v2+json',
} as const

/** What Confluent answers with, to those that asked in its types. */
export const produceAnswerType = 'application/vnd.kafka.v2+json'

export interface ProduceBody {
  readonly records: readonly {
    readonly key?: Json
    readonly value: Json
    readonly partition?: number | null
    readonly headers?: { readonly [name: string]: string }
  }[]
}

const base64: Schema = { type: ['string', 'null'], format: 'byte', description: 'base64, or null' }

export const jsonProduceBody = produceBody(json, json)
export const binaryProduceBody = produceBody(base64, base64)

function produceBody(key: Schema, value: Schema): Schema {
  const partition = { type: ['integer', 'null'], minimum: 0, maximum: 0x7fffffff }
  const headers = { type: 'object', additionalProperties: text }
  const record = object({ key, value, partition, headers }, ['key', 'partition', 'headers'])
  const records = { type: 'array', items: record, minItems: 1, maxItems: httpLimits.recordsProducedMax }
  return object({ records })
}

const nullable = (type: string): Schema => ({ type: [type, 'null'] })

export const produceAnswer = object({
  offsets: list(
    object({
      partition: nullable('integer'),
      offset: nullable('integer'),
      error_code: { type: ['integer', 'null'], description: '1: for good; 2: may work later' },
      error: nullable('string'),
    }),
  ),
  key_schema_id: { type: 'null' },
  value_schema_id: { type: 'null' },
})

/** The records of a checked body. @throws {HttpProblem} request-invalid: base64 that is none. */
export function recordsOf(body: ProduceBody, mediaType: string | undefined): readonly ProduceRecord[] {
  const isBinary = mediaType === produceTypes.binary
  return body.records.map((record, index) => {
    const { key = null, value, partition, headers = {} } = record
    return {
      key: isBinary ? bytesOf(key, `/records/${index}/key`) : jsonKey(key),
      value: isBinary ? bytesOf(value, `/records/${index}/value`) : jsonBytes(value),
      headers: Object.entries(headers).map(([name, content]) => ({ key: name, value: Buffer.from(content) })),
      ...(typeof partition === 'number' ? { partition } : {}),
    }
  })
}

/** The answer to a body, in its order. */
export function answerOf(results: readonly ProduceResult[]) {
  const offsets = results.map((result) =>
    'error' in result
      ? {
          partition: null,
          offset: null,
          error_code: errorCode(result.error),
          error: `${result.error}: ${result.message}`,
        }
      : { partition: result.partition, offset: result.offset, error_code: null, error: null },
  )
  return { offsets, key_schema_id: null, value_schema_id: null }
}

/** What the worker may take later: everything else it refuses for good. */
const retriable: ReadonlySet<string> = new Set(['outcome-unknown', 'not-ready', 'overloaded', 'disk-full'])

function errorCode(error: string): number {
  return retriable.has(error) ? 2 : 1
}

function jsonKey(key: Json): string | null {
  return key === null || typeof key === 'string' ? key : JSON.stringify(key)
}

function jsonBytes(value: Json): Uint8Array | null {
  return value === null ? null : Buffer.from(JSON.stringify(value))
}

function bytesOf(value: Json, pointer: string): Uint8Array | null {
  if (value === null) return null
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined
  if (bytes !== undefined) return bytes
  const message = 'expected base64'
  const violations = [{ in: 'body', pointer, message }] as const
  throw new HttpProblem('request-invalid', `body ${pointer}: ${message}`, { violations })
}
