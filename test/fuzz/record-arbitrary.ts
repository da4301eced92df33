// Records of strangers: anything that a producer can put on a topic.
import fc from 'fast-check'
import { hostileJson, hostileKey, hostileTexts, hostKeys, nestedJson } from './hostile/values.ts'

export interface HostileRecord {
  readonly kind: string
  readonly topic: 'starts' | 'keyed' | 'replies'
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array }[]
  readonly timestampMs: number
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8')
const topic = fc.constantFrom('starts' as const, 'keyed' as const, 'replies' as const)
const mebibyte = 1_048_576

/** Kept by reference: a shrunk input is not to be printed ten megabytes long. */
const huge: readonly Uint8Array[] = [
  Buffer.alloc(10 * mebibyte, '[1,'),
  Buffer.from(JSON.stringify({ id: 'huge', text: 'x'.repeat(10 * mebibyte) })),
  Buffer.from(JSON.stringify({ id: 'large', text: 'x'.repeat(900_000) })),
  Buffer.from(JSON.stringify({ id: 'long', items: Array.from({ length: 100_000 }, (_, index) => index) })),
  Buffer.from(nestedJson(4_000_000)),
]

const values: { readonly [kind: string]: fc.Arbitrary<Uint8Array | null> } = {
  tombstone: fc.constant(null),
  empty: fc.constant(new Uint8Array()),
  bytes: fc.uint8Array({ maxLength: 40 }),
  json: hostileJson.map((value) => bytes(JSON.stringify(value))),
  // What a JSON text may say and JSON.stringify does not.
  text: fc
    .constantFrom(
      '{"id": 1e400}',
      '{"id": -0}',
      '{"id": 9007199254740993}',
      '{"id": 1.0}',
      '{"id": "\\ud800"}',
      '{"id": "\\u0000"}',
      '{"id": "a", "id": "b"}',
      '{"\\u005f_proto__": {"id": "x"}}',
      '{"__proto__": {"id": "x"}}',
      '{"id": {"toString": 1}}',
      '{"id": "x", "constructor": {"prototype": {"polluted": 1}}}',
      '{"id": "x", "then": 1}',
      '\uFEFF{"id": "bom"}',
      ' {"id": "blank"} ',
      '{"id": "a"}{"id": "b"}',
      '{"id": "a",}',
      "{'id': 'a'}",
      'undefined',
      'NaN',
      '"text"',
      '1',
      'null',
      '[]',
    )
    .map(bytes),
  deep: fc
    .tuple(fc.constantFrom(99, 100, 101, 10_000), fc.constantFrom(['[', ']'] as const, ['{"a":', '}'] as const))
    .map(([depth, [open, close]]) => bytes(nestedJson(depth, open, close))),
  id: fc.oneof(fc.constantFrom(...hostileTexts), hostileKey).map((id) => bytes(JSON.stringify({ id }))),
  object: fc
    .dictionary(fc.constantFrom('id', 'n', ...hostKeys), hostileJson, { maxKeys: 4 })
    .map((value) => bytes(JSON.stringify(value))),
}

const key = fc.oneof(
  fc.constant(null),
  fc.constant(new Uint8Array()),
  fc.uint8Array({ maxLength: 8 }),
  fc.constantFrom(...hostileTexts, 'x'.repeat(100_000), 'same').map(bytes),
)
const headers = fc.array(
  fc.record({
    key: fc.oneof(fc.constantFrom('h', 'h', 'traceparent', 'dw-reason', '', ...hostKeys), hostileKey),
    value: fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constant(bytes('00-0-0-0'))),
  }),
  { maxLength: 3 },
)
const timestampMs = fc.oneof(
  { weight: 5, arbitrary: fc.constant(1_700_000_000_000) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 0, 253_402_300_800_000, 8.64e15, Number.MAX_SAFE_INTEGER) },
)

const ordinary = Object.entries(values).map(([kind, value]): fc.Arbitrary<HostileRecord> =>
  fc.record({ kind: fc.constant(kind), topic, key, value, headers, timestampMs }),
)
const enormous: fc.Arbitrary<HostileRecord> = fc.record({
  kind: fc.constant('huge'),
  topic,
  key: fc.constantFrom(null, bytes('huge')),
  value: fc.constantFrom(...huge),
  headers: fc.constant([]),
  timestampMs: fc.constant(0),
})

export const recordKinds: readonly string[] = [...Object.keys(values), 'huge']

export const hostileRecord: fc.Arbitrary<HostileRecord> = fc.oneof(
  ...ordinary.map((arbitrary) => ({ weight: 100, arbitrary })),
  { weight: 1, arbitrary: enormous },
)

/** One of each enormous value on each topic, and each kind of key. */
export const hostileRecords: readonly HostileRecord[] = [
  ...huge.flatMap((value) =>
    (['starts', 'keyed', 'replies'] as const).map((name): HostileRecord => ({
      kind: 'huge',
      topic: name,
      key: null,
      value,
      headers: [],
      timestampMs: 0,
    })),
  ),
  ...(['starts', 'keyed', 'replies'] as const).map((name): HostileRecord => ({
    kind: 'huge',
    topic: name,
    key: Buffer.alloc(5 * mebibyte, 'k'),
    value: null,
    headers: [{ key: 'h', value: Buffer.alloc(5 * mebibyte, 'v') }],
    timestampMs: 0,
  })),
]
