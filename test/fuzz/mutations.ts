// What goes wrong in a document: keys dropped, renamed and doubled, values replaced by hostile ones.
import fc from 'fast-check'
import type { Json } from '../../src/base/json.ts'
import { hostileJson, hostileKey } from './hostile/values.ts'

type Change = (value: Json) => Json

const knownKeys = fc.constantFrom(
  'workflow',
  'tasks',
  'name',
  'type',
  'topic',
  'dependsOn',
  'when',
  'next',
  'cases',
  'schedule',
  'compensate',
  'timeout',
  'correlate',
  'set',
)
/** Mistakes that authors make: a value that is wrong for its key. */
const mistakes = fc.constantFrom<readonly [key: string, value: Json]>(
  ['name', 't0'],
  ['name', 't1'],
  ['name', 'with blanks'],
  ['type', 'parallel'],
  ['type', 'process'],
  ['type', 'decision'],
  ['type', 'kafka-listener'],
  ['topic', 'a/b'],
  ['topic', 'orders'],
  ['dependsOn', ['t0']],
  ['dependsOn', ['t1', 't1']],
  ['dependsOn', ['t2', 't3']],
  ['dependsOn', ['nobody']],
  ['next', ['t0']],
  ['next', []],
  ['cases', []],
  ['correlate', []],
  ['correlate', { message: 'message.value.id', instance: 'vars.v' }],
  ['when', '1 +'],
  ['when', 'tasks.nobody.output'],
  ['when', 'tasks.t0.nobody'],
  ['when', 'vars.nobody == 1'],
  ['when', 'secrets.x'],
  ['when', 'nobody.x'],
  ['when', 'output.x'],
  ['when', 'message.value'],
  ['value', '${ instance.nobody }'],
  ['value', '${'],
  ['at', '2030-13-41'],
  ['schedule', '61 * * * *'],
  ['schedule', 'every day'],
  ['schedule', '0 0 30 2 *'],
  ['schedule', '* * * * *'],
  ['timezone', 'Mars'],
  ['delay', '10 parsecs'],
  ['timeout', '0s'],
  ['keep', 'P1Y'],
  ['retention', ''],
  ['input', { type: 'nothing' }],
  ['workflow', ''],
  ['retry', { maxAttempts: -1, initialInterval: '1 s' }],
)

const replaced: fc.Arbitrary<Change> = hostileJson.map((by) => () => by)
const wrapped: fc.Arbitrary<Change> = fc.constantFrom<Change>(
  (value) => [value],
  (value) => [value, value],
  (value) => ({ nested: value }),
  (value) => JSON.stringify(value),
)
const added: fc.Arbitrary<Change> = fc
  .tuple(fc.oneof(knownKeys, hostileKey), hostileJson)
  .map(([key, by]) => (value) => {
    if (isList(value)) return [...value, by]
    return typeof value === 'object' && value !== null ? fromEntries([...Object.entries(value), [key, by]]) : by
  })
const dropped: fc.Arbitrary<Change> = fc.nat().map((nth) => (value) => {
  if (isList(value)) return value.filter((_, index) => index !== nth % value.length)
  if (typeof value !== 'object' || value === null) return null
  return fromEntries(Object.entries(value).filter((_, index, all) => index !== nth % all.length))
})
const renamed: fc.Arbitrary<Change> = fc
  .tuple(fc.nat(), fc.oneof(knownKeys, hostileKey))
  .map(([nth, to]) => (value) => {
    if (typeof value !== 'object' || value === null || isList(value)) return value
    return fromEntries(
      Object.entries(value).map(([key, each], index, all) => [index === nth % all.length ? to : key, each]),
    )
  })

const changed = fc.tuple(fc.nat(), fc.oneof(replaced, wrapped, added, dropped, renamed)).map(
  ([place, act]): Change =>
    (value) =>
      changeAt(value, { left: place % sizeOf(value) }, act),
)
const mistaken = fc.tuple(fc.nat(8), mistakes).map(
  ([nth, [key, by]]): Change =>
    (value) =>
      mistakeAt(value, { left: nth }, key, by),
)

/** A few changes, each somewhere in the document. */
export function mutate(documents: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  return fc
    .tuple(documents, fc.array(fc.oneof(changed, mistaken), { minLength: 1, maxLength: 3 }))
    .map(([document, changes]) => changes.reduce((value, act) => act(value), document))
}

/** The document with the n-th object that may have this key given another value for it. */
function mistakeAt(value: Json, count: { left: number }, key: string, by: Json): Json {
  if (isList(value)) return value.map((item) => mistakeAt(item, count, key, by))
  if (typeof value !== 'object' || value === null) return value
  const isTask = Object.hasOwn(value, 'name') && (Object.hasOwn(value, key) || key === 'dependsOn' || key === 'when')
  const isHere = (isTask || Object.hasOwn(value, key)) && count.left-- === 0
  const entries = Object.entries(value).map(([name, entry]) => [name, mistakeAt(entry, count, key, by)] as const)
  return fromEntries(isHere ? [...entries, [key, by]] : entries)
}

function sizeOf(value: Json): number {
  return 1 + childrenOf(value).reduce<number>((sum, child) => sum + sizeOf(child), 0)
}

function childrenOf(value: Json): readonly Json[] {
  if (isList(value)) return value
  return typeof value === 'object' && value !== null ? Object.values(value) : []
}

/** The document with its n-th value, counted in depth, changed. */
function changeAt(value: Json, count: { left: number }, act: Change): Json {
  if (count.left-- === 0) return act(value)
  if (isList(value)) return value.map((item) => changeAt(item, count, act))
  if (typeof value !== 'object' || value === null) return value
  return fromEntries(Object.entries(value).map(([key, entry]) => [key, changeAt(entry, count, act)]))
}

/** Own properties only, `__proto__` among them. */
function fromEntries(entries: readonly (readonly [string, Json])[]): Json {
  return Object.fromEntries(entries)
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
