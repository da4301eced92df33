// What CEL gives → JSON. Bounded: a result is kept in the state or sent, so it has the limits of a payload.
import { Optional } from '@marcbachmann/cel-js'
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'
import { toBase64 } from '../base/base64.ts'
import type { Json } from '../base/json.ts'
import { limits } from '../base/limits.ts'

/** A result that JSON cannot say, or one that is too large. */
export class Unwritable extends Error {
  override readonly name = 'Unwritable'
}

/** The value as JSON. @throws {Unwritable} */
export function toJson(value: unknown): Json {
  return write(value, 0, { left: limits.payloadBytesMax })
}

/** Characters that may still be written; a lower bound of the bytes. */
interface Budget {
  left: number
}

function write(value: unknown, depth: number, budget: Budget): Json {
  take(budget, typeof value === 'string' ? value.length + 1 : 1)
  if (depth > limits.jsonDepthMax)
    throw new Unwritable(`the result is nested too deep: at most ${limits.jsonDepthMax} levels`)
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Unwritable('the result is not a finite number')
    return value + 0 // no -0: JSON would lose it
  }
  if (typeof value === 'bigint') return wholeNumber(value)
  if (value === null) return null
  if (typeof value === 'object') return writeObject(value, depth, budget)
  throw new Unwritable('the result is nothing that JSON can say')
}

function take(budget: Budget, characters: number): void {
  budget.left -= characters
  if (budget.left < 0) throw new Unwritable(`the result is too large: at most ${limits.payloadBytesMax} bytes`)
}

function writeObject(value: object, depth: number, budget: Budget): Json {
  if (Array.isArray(value)) return value.map((item) => write(item, depth + 1, budget))
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new Unwritable('the result is not a valid time')
    return value.toISOString()
  }
  if (value instanceof Uint8Array) {
    take(budget, value.length)
    return toBase64(value)
  }
  if (value instanceof Map) return writeEntries(value, depth, budget)
  if (value instanceof UnsignedInt) return wholeNumber(value.value)
  if (value instanceof Duration) return value.toString()
  if (value instanceof Optional) {
    if (!value.hasValue()) throw new Unwritable('the value is absent: end the expression with .orValue(…)')
    return write(value.value(), depth, budget)
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return writeEntries(Object.entries(value), depth, budget)
  throw new Unwritable('the result is nothing that JSON can say')
}

function writeEntries(entries: Iterable<[unknown, unknown]>, depth: number, budget: Budget): Json {
  const written: [string, Json][] = []
  for (const [key, entry] of entries) {
    take(budget, String(key).length)
    written.push([String(key), write(entry, depth + 1, budget)])
  }
  return Object.fromEntries(written) // defines own properties, `__proto__` included
}

function wholeNumber(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new Unwritable(`the number ${value} cannot be kept exactly: use string(…)`)
  return number
}
