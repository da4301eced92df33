// Requests of strangers, as bytes: known and unknown addresses, queries, headers and bodies, whole and broken.
import fc from 'fast-check'
import type { Json } from '../../src/base/json.ts'
import { hostileJson, hostileKey, hostileTexts, nestedJson } from './hostile/values.ts'
import { port, requestBytes as write } from './raw-http.ts'

export interface HttpAttack {
  readonly kind: 'read' | 'start' | 'produce' | 'broken' | 'corpus'
  readonly request: Uint8Array
}

const encoded = fc.oneof(hostileKey, fc.constantFrom(...hostileTexts)).map(encode)
const raw = fc.constantFrom(
  '%',
  '%zz',
  '%00',
  '%ff',
  '%2e%2e%2f',
  '..',
  '//',
  '%c0%af',
  '\\',
  '?',
  '#',
  ';',
  '%F0%9F%98%80',
)
const part = fc.oneof(
  encoded,
  raw,
  fc.constantFrom('orders', 'taker', 'i1', '0', '-1', '1e3', '99999999999', 'x'.repeat(9_000)),
)

/** As a client would, half a surrogate pair included. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

const address = fc.oneof(
  fc.constantFrom('/health', '/service/ready', '/topics', '/instances', '/', '/health/', '/nothing', '*', '/__proto__'),
  part.map((id) => `/instances/${id}`),
  fc.tuple(part, part).map(([workflow, key]) => `/instances/by-key/${workflow}/${key}`),
  part.map((topic) => `/topics/${topic}`),
  fc.tuple(part, part).map(([topic, partition]) => `/topics/${topic}/partitions/${partition}/records`),
  fc.array(part, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
)
const parameter = fc.tuple(
  fc.oneof(
    fc.constantFrom('limit', 'offset', 'seen', 'cursor', 'status', 'workflow', 'keyPrefix', 'incident'),
    encoded,
  ),
  fc.oneof(
    part,
    fc.constantFrom('earliest', 'latest', 'EXECUTING', 'true', '', '0', '1', '1.5', '-1', '999999999999999'),
  ),
)
const query = fc
  .array(parameter, { maxLength: 3 })
  .map((list) => (list.length === 0 ? '' : `?${list.map(([name, value]) => `${name}=${value}`).join('&')}`))

const type = fc.constantFrom(
  'application/json',
  'application/json; charset=utf-8',
  'application/vnd.kafka.json.v2+json',
  'application/vnd.kafka.binary.v2+json',
  'text/plain',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'application/json; charset=utf-16',
  '__proto__/constructor',
  ';',
)
const header = fc.oneof(
  fc.tuple(
    fc.constantFrom('idempotency-key', 'x-request-id', 'accept', 'content-type', 'origin'),
    fc.constantFrom('a', 'a', '', 'x'.repeat(300), '*/*', 'é'),
  ),
  fc.constantFrom<[string, string]>(
    ['__proto__', 'x'],
    ['constructor', 'x'],
    ['expect', '100-continue'],
    ['expect', 'nothing'],
    ['content-encoding', 'gzip'],
    ['x-http-method-override', 'DELETE'],
    ['cookie', 'a=b'],
    ['x-large', 'x'.repeat(20_000)],
  ),
)
const host = fc.oneof(
  { weight: 30, arbitrary: fc.constant(`127.0.0.1:${port}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('evil.example', `127.0.0.1:${port}.evil.example`, '', 'localhost', `[::1]:${port}`),
  },
)
const method = fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE')

const start: fc.Arbitrary<Json> = fc.oneof(
  fc.record(
    {
      workflow: fc.constantFrom('taker', 'keeper', 'nobody'),
      key: fc.constantFrom(...hostileTexts),
      input: hostileJson,
    },
    { requiredKeys: ['workflow'] },
  ),
  fc.record({ workflow: hostileJson, key: hostileJson, input: hostileJson }),
)
const record = fc.record(
  {
    value: hostileJson,
    key: hostileJson,
    partition: fc.constantFrom<Json>(null, 0, -1, 1.5, 2 ** 31, '0'),
    headers: fc.dictionary(hostileKey, fc.oneof(fc.constantFrom(...hostileTexts), hostileJson), { maxKeys: 2 }),
  },
  { requiredKeys: ['value'] },
)
const produced: fc.Arbitrary<Json> = fc.oneof(
  fc.record({ records: fc.array(fc.record({ value: hostileJson }), { minLength: 1, maxLength: 3 }) }),
  fc.record({ records: fc.array(record, { maxLength: 3 }) }),
)

/** A body as text: of the right shape, of any, or none at all. */
const text = (shaped: fc.Arbitrary<Json>): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    { weight: 6, arbitrary: shaped.map((value) => Buffer.from(JSON.stringify(value))) },
    { weight: 1, arbitrary: hostileJson.map((value) => Buffer.from(JSON.stringify(value))) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    {
      weight: 2,
      arbitrary: fc.tuple(shaped, fc.nat(), fc.string({ maxLength: 3 })).map(([value, at, insert]) => {
        const whole = JSON.stringify(value)
        const place = at % whole.length
        return Buffer.from(whole.slice(0, place) + insert + whole.slice(place + 1))
      }),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(
          '{"workflow": "taker", "__proto__": {"polluted": 1}}',
          '{"workflow": "taker", "input": {"constructor": {"prototype": {"polluted": 1}}}}',
          '{"workflow": "taker", "input": {"constructor": 1}}',
          '{"records": [{"value": {"\\u005f_proto__": 1}}]}',
          '{"workflow": "taker", "key": "\\ud800"}',
          '{"workflow": "taker", "input": 1e400}',
          nestedJson(101),
          nestedJson(100_000),
          '{"a":'.repeat(50_000),
          '',
          ' ',
          '\uFEFF{}',
        )
        .map((each) => Buffer.from(each)),
    },
  )

const reading = fc
  .record({
    method,
    path: fc.tuple(address, query).map((parts) => parts.join('')),
    host,
    headers: fc.array(header, { maxLength: 2 }),
  })
  .map(({ method: verb, path, host: name, headers }) =>
    write({ method: verb, path, headers: [['host', name], ...headers] }),
  )
const writing = (path: fc.Arbitrary<string>, body: fc.Arbitrary<Json>): fc.Arbitrary<Uint8Array> =>
  fc
    .record({
      path,
      host,
      type: fc.oneof({ weight: 4, arbitrary: fc.constant('application/json') }, { weight: 1, arbitrary: type }),
      headers: fc.array(header, { maxLength: 1 }),
      body: text(body),
    })
    .map(({ path: to, host: name, type: kind, headers, body: bytes }) =>
      write({ method: 'POST', path: to, headers: [['host', name], ['content-type', kind], ...headers], body: bytes }),
    )
const starting = writing(fc.constant('/instances'), start)
const producing = writing(
  fc.oneof(
    fc.constantFrom('/topics/starts', '/topics/starts', '/topics/test.changelog', '/topics/test.inbox', '/topics/none'),
    part.map((topic) => `/topics/${topic}`),
  ),
  produced,
)
/** What a client does wrong below the level of routes. */
const breaking = fc
  .tuple(
    fc.oneof(starting, reading),
    fc.nat(),
    fc.constantFrom(
      '',
      '\r\n',
      '\n',
      '\0',
      ' ',
      ':',
      'content-length: 5\r\n',
      'transfer-encoding: chunked\r\n',
      '\x80',
    ),
  )
  .map(([request, at, insert]) => {
    const place = at % request.length
    return Buffer.concat([request.subarray(0, place), Buffer.from(insert, 'latin1'), request.subarray(place + 1)])
  })

export const httpAttack: fc.Arbitrary<HttpAttack> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const), request: reading }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('start' as const), request: starting }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('produce' as const), request: producing }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('broken' as const), request: breaking }) },
)
