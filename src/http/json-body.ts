// Bodies are JSON from strangers. What is let through:
//   - UTF-8 and nothing else: a byte that is not would be replaced silently, and the record would not be what was sent;
//   - nested up to limits.jsonDepthMax, counted on the body as a whole, before it is parsed: recursive code never meets
//     more, and JSON.parse takes half a second for a million levels;
//   - no "__proto__" key, and no "constructor" that holds a "prototype": refused with 400. A bare "constructor" is a word
//     like any other. Code behind this copies own properties only, so neither could do harm; this is the second lock.
import { isTooDeep } from '../base/json-depth.ts'
import { limits } from '../base/limits.ts'
import { placeOfJsonError } from './json-place.ts'
import { HttpProblem } from './problem.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The value of a JSON text in UTF-8. @throws {HttpProblem} json-invalid, json-too-deep, json-forbidden-key */
export function parseJsonBody(bytes: Uint8Array): unknown {
  if (isTooDeep(bytes)) {
    throw new HttpProblem('json-too-deep', `JSON may be nested ${limits.jsonDepthMax} levels deep.`)
  }
  const text = decode(bytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const { line, column, found, expected } = placeOfJsonError(text)
    const detail = `Line ${line}, column ${column}: expected ${expected}, found ${found}.`
    throw new HttpProblem('json-invalid', detail, { line, column })
  }
  if (mayBeForbidden.test(text)) checkKeys(value)
  return value
}

/** As Fastify calls it, for what is taken as a buffer. */
export const parseBody = async (_request: unknown, body: Buffer): Promise<unknown> => parseJsonBody(body)

/** Where none of this stands in the text, no such key is in the value: going through a large one takes as long as parsing it. */
const mayBeForbidden = /__proto__|constructor|\\u/

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new HttpProblem('json-invalid', 'The body is not UTF-8. For bytes, use application/vnd.kafka.binary.v2+json.')
  }
}

/** Recursive: the depth has been checked. */
function checkKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) {
    if (Object.hasOwn(value, '__proto__')) throw forbidden('__proto__')
    if (Object.hasOwn(value, 'constructor')) {
      const inner = Object(value.constructor)
      if (Object.hasOwn(inner, 'prototype')) throw forbidden('constructor.prototype')
    }
  }
  for (const inner of Object.values(value)) checkKeys(inner)
}

function forbidden(key: string): HttpProblem {
  return new HttpProblem('json-forbidden-key', `The key "${key}" is not accepted: rename it.`)
}
