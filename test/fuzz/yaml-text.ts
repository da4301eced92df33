// Documents as text: YAML or JSON, one or several, and what can be done to the text itself.
import fc from 'fast-check'
import { stringify } from 'yaml'
import type { Json } from '../../src/base/json.ts'

const style = fc.constantFrom<(value: Json) => string>(
  (value) => stringify(value),
  (value) => stringify(value),
  (value) => JSON.stringify(value),
  (value) => JSON.stringify(value, undefined, 2),
  (value) => stringify(value, { collectionStyle: 'flow' }),
  (value) => stringify(value, { defaultStringType: 'QUOTE_SINGLE', defaultKeyType: 'PLAIN' }),
  (value) => stringify(value, { defaultStringType: 'BLOCK_LITERAL', lineWidth: 20 }),
)

/** Pieces that mean something to YAML, or to whoever reads it carelessly. */
export const pieces = [
  '&a ',
  '*a',
  '&a [*a]',
  '<<: *a\n',
  '<<: {x: 1}\n',
  '!!js/function "return 1"',
  '!!binary aGk=',
  '!!set {a}',
  '!!timestamp 2026-01-01',
  '!<tag:yaml.org,2002:python/object> x',
  '%YAML 1.1\n---\n',
  '%TAG ! tag:x,2000:\n---\n',
  '---\n',
  '...\n',
  '--- |\n',
  '? ',
  '? [a, b]\n: c\n',
  '{',
  '}',
  '[',
  ']',
  '|+9\n',
  '>-\n',
  '- ',
  '- - - ',
  ': ',
  ':',
  '#',
  ' #',
  '"',
  "'",
  '\\',
  '\\x',
  '"\\uD800"',
  '\t',
  '\n\t- ',
  '\r',
  '\r\n',
  '\0',
  '\uFEFF',
  '\u2028',
  '\u0085',
  '\uD800',
  '0o17',
  '0x1F',
  '.inf',
  '-.nan',
  '1e400',
  '12345678901234567890',
  '1_000',
  '2026-01-01',
  '12:30:45',
  'yes',
  '~',
  '${ input.x }',
  '${',
  'workflow: w\n',
  '__proto__: {x: 1}\n',
  'constructor: {prototype: 1}\n',
] as const

type TextChange = (text: string) => string

const spliced: fc.Arbitrary<TextChange> = fc
  .record({
    from: fc.nat(),
    cut: fc.oneof(fc.constant(0), fc.nat(12)),
    insert: fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 5 })),
  })
  .map(({ from, cut, insert }) => (text) => {
    const at = from % (text.length + 1)
    return text.slice(0, at) + insert + text.slice(at + cut)
  })
/** Pieces in front of what stands behind a colon or a dash, where they are read as a value's own. */
const annotated: fc.Arbitrary<TextChange> = fc
  .tuple(fc.nat(), fc.constantFrom(...pieces))
  .map(([nth, piece]) => (text) => {
    const places = [...text.matchAll(/(?:: |- )(?=\S)/g)]
    const place = places[nth % Math.max(1, places.length)]
    if (place === undefined) return piece + text
    const at = place.index + place[0].length
    return text.slice(0, at) + piece + text.slice(at)
  })
const whole = fc.constantFrom<TextChange>(
  (text) => text.replaceAll('\n', '\r\n'),
  (text) => text.replaceAll('\n', '\r'),
  (text) => `\uFEFF${text}`,
  (text) => text.replaceAll('  ', '\t'),
  (text) => `${text}\n---\n${text}`,
  (text) => text.slice(0, Math.floor(text.length / 2)),
  (text) => text.replace(/\n([^\n]*)\n/, '\n$1\n$1\n'),
)
const textChange = fc.oneof(spliced, annotated, whole)

/** Documents as text, left as it is. */
export function textOf(documents: fc.Arbitrary<Json>): fc.Arbitrary<string> {
  return fc
    .tuple(fc.array(documents, { minLength: 1, maxLength: 2 }), fc.constantFrom(0, 0, 0, 1), style)
    .map(([list, more, write]) =>
      list
        .slice(0, 1 + more)
        .map(write)
        .join('\n---\n'),
    )
}

/** Text with a few changes. */
export function damaged(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(texts, fc.array(textChange, { minLength: 1, maxLength: 3 }))
    .map(([text, changes]) => changes.reduce((changed, act) => act(changed), text))
}

/** Text that is hardly YAML: bytes read as UTF-8, and pieces in any order. */
export const rawText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('utf8')),
  fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => parts.join('')),
  fc.array(fc.constantFrom(...pieces, 'a', 'b: 1\n', '  '), { maxLength: 20 }).map((parts) => parts.join('')),
)
