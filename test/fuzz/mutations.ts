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
)
const knownValues = fc.constantFrom<Json>(
  't0',
  't1',
  ['t0'],
  ['t1', 't1'],
  ['nobody'],
  [],
  {},
  'kafka-listener',
  'parallel',
  'process',
  'decision',
  'tasks.t0.output',
  'tasks.nobody.output',
  'vars.nobody',
  'secrets.x',
  'nobody.x',
  'output.x',
  'message.nobody',
  'instance.nobody',
  '${ tasks["t0"].nobody }',
  '${',
  '1 +',
  '10 parsecs',
  '2030-13-41',
  'a/b',
  0,
  -1,
  1e9,
  0.5,
)

const replaced: fc.Arbitrary<Change> = fc.oneof(knownValues, hostileJson).map((by) => () => by)
const wrapped: fc.Arbitrary<Change> = fc.constantFrom<Change>(
  (value) => [value],
  (value) => [value, value],
  (value) => ({ nested: value }),
  (value) => String(value),
)
const added: fc.Arbitrary<Change> = fc
  .tuple(fc.oneof(knownKeys, hostileKey), fc.oneof(knownValues, hostileJson))
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

const change = fc.tuple(fc.nat(300), fc.oneof(replaced, replaced, wrapped, added, dropped, renamed))

/** A few changes, each somewhere in the document. */
export function mutate(documents: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  return fc.tuple(documents, fc.array(change, { minLength: 1, maxLength: 3 })).map(([document, changes]) => {
    let value = document
    for (const [place, act] of changes) value = changeAt(value, { left: place % sizeOf(value) }, act)
    return value
  })
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
