// JSON that programs trip over: names of host things, ends of ranges, text that is none.
import fc from 'fast-check'
import type { Json } from '../../../src/base/json.ts'

/** Keys that mean something to JavaScript. */
export const hostKeys = [
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'toJSON',
  'valueOf',
  'then',
  'length',
  'size',
  '__defineGetter__',
  '__lookupGetter__',
  'Symbol(nodejs.util.inspect.custom)',
] as const

export const hostileTexts = [
  '',
  ' ',
  '\0',
  '\uFEFF',
  '\uD800',
  '\uDC00x',
  '\u2028',
  '\u202Eabc',
  'e\u0301',
  '𝄞',
  '${',
  '$${ x }',
  '${ input.x }',
  '%s%n',
  '../../etc/passwd',
  'a'.repeat(1_025),
  'null',
  '1e400',
  '2024-02-30T25:61:61Z',
  'P1Y',
  '9'.repeat(400),
  ...hostKeys,
] as const

// oxfmt-ignore
export const hostileNumbers = [
  0, -0, 1, -1, 0.1, 1e-7, 255, 65_536, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e21, 1e308, 5e-324,
] as const

/** Any key, those of host things often. */
export const hostileKey: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...hostKeys) },
  { weight: 2, arbitrary: fc.string({ maxLength: 8 }) },
  { weight: 1, arbitrary: fc.constantFrom(...hostileTexts) },
)

const scalar: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, false),
  fc.constantFrom<Json>(...hostileNumbers),
  fc.constantFrom<Json>(...hostileTexts),
  fc.integer(),
  fc.string({ unit: 'binary', maxLength: 12 }),
)

/** Any JSON, its keys hostile, each of them an own property. */
export const hostileJson: fc.Arbitrary<Json> = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 3, arbitrary: scalar },
    { weight: 1, arbitrary: fc.array(tie('json'), { maxLength: 4 }) },
    { weight: 2, arbitrary: fc.array(fc.tuple(hostileKey, tie('json')), { maxLength: 4 }).map(objectOf) },
  ),
})).json

function objectOf(entries: readonly (readonly [string, Json])[]): Json {
  return Object.fromEntries(entries)
}

/** Brackets around a value, as deep as it says; a text, because no recursive code is to meet it. */
export function nestedJson(depth: number, open = '[', close = ']'): string {
  return open.repeat(depth) + '1' + close.repeat(depth)
}
