import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test, type TestContext } from 'node:test'
import { OutcomeUnknown, TransientFault } from '../../src/base/errors.ts'
import type { DeadLetterSummary, DeadLetterView, RedriveAnswer, RedriveManyAnswer } from '../../src/runtime/face.ts'
import type { Log, LogRecord, OutgoingRecord, Producer } from '../../src/runtime/ports.ts'
import { serve } from '../support/http.ts'
import { bytes, openLetters } from '../support/letters.ts'

interface Page {
  readonly items: readonly DeadLetterSummary[]
  readonly next?: string
}

async function served(t: TestContext, wrap?: (log: Log) => Log) {
  const letters = await openLetters(t, wrap)
  const server = await serve(t)
  server.worker.deadLetters = letters.deadLetters
  const redriveMany = async (body: object) => {
    const answer = await server.call<RedriveManyAnswer>('/dead-letters/redrive', { body })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body
  }
  return { ...letters, ...server, redriveMany }
}

const headersOf = (record: LogRecord | undefined) =>
  record?.headers.map(({ key, value }) => [key, Buffer.from(value).toString('latin1')])
const messagesOf = ({ items }: Page) => items.map(({ message }) => message)

/** Stands between the log and its producers: what a transaction is to meet. */
function wrapped(
  log: Log,
  transact: (real: Producer, records: readonly OutgoingRecord[]) => ReturnType<Producer['transact']>,
): Log {
  return new Proxy(log, {
    get(target, name) {
      if (name === 'openProducer')
        return async (id: string): Promise<Producer> => {
          const real = await target.openProducer(id)
          return { transact: (records) => transact(real, records), close: () => real.close() }
        }
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

suite('GET /dead-letters', () => {
  test('lists the letters of all partitions, the newest first, in pages', async (t) => {
    const { call, bury } = await served(t)
    for (let i = 0; i < 200; i++) await bury({ message: String(i), into: i % 3 })
    const expected = Array.from({ length: 200 }, (_, i) => i).reverse()
    const found: number[] = []
    let cursor = ''
    do {
      const { status, body } = await call<Page>(`/dead-letters?limit=30${cursor}`)
      assert.equal(status, 200)
      assert.ok(body.items.length <= 30)
      found.push(...messagesOf(body).map(Number))
      cursor = body.next === undefined ? '' : `&cursor=${body.next}`
    } while (cursor !== '')
    // Those of one millisecond have no order between partitions, but each comes once and close to its place.
    assert.deepEqual(
      found.toSorted((a, b) => b - a),
      expected,
    )
    for (const [index, each] of found.entries()) assert.ok(Math.abs(each - expected[index]!) < 30)
    for (const partition of [0, 1, 2]) {
      const own = found.filter((each) => each % 3 === partition)
      assert.deepEqual(
        own,
        own.toSorted((a, b) => b - a),
      )
    }
  })

  test('says of each why, whence, when, of which size, and whether it was redriven', async (t) => {
    const { call, bury } = await served(t)
    const key = bytes('o-1')
    const headers = [{ key: 'h', value: bytes('12') }]
    await bury({
      code: 'input-invalid',
      message: 'm',
      workflow: 'order',
      key,
      value: bytes('{}'),
      headers,
      offset: 9,
      into: 1,
    })
    const { body } = await call<Page>('/dead-letters')
    const [item, ...more] = body.items
    assert.ok(item !== undefined)
    const { at, ...rest } = item
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000)
    assert.deepEqual(
      [rest, more, body.next],
      [
        {
          partition: 1,
          offset: 0,
          reason: 'input-invalid',
          message: 'm',
          workflows: ['order'],
          source: { topic: 'orders', partition: 0, offset: 9, timestamp: '2023-11-14T22:13:20.000Z' },
          key: 'o-1',
          bytes: { key: 3, value: 2, headers: 3 },
          isKept: true,
          redrivenTimes: 0,
        },
        [],
        undefined,
      ],
    )
  })

  test('filters by reason, topic, workflow, time, and whether something is to be done', async (t) => {
    const { call, bury } = await served(t)
    await bury({ message: 'a', code: 'not-json' })
    await bury({ message: 'b', code: 'input-invalid', workflow: 'order' })
    await bury({ message: 'c', code: 'not-json', topic: 'mended' })
    await call('/dead-letters/0/0/redrive', { body: {} })
    const find = async (query: string) => messagesOf((await call<Page>(`/dead-letters?${query}`)).body)
    assert.deepEqual(await find('reason=not-json'), ['c', 'a'])
    assert.deepEqual(await find('topic=mended'), ['c'])
    assert.deepEqual(await find('workflow=order&reason=input-invalid'), ['b'])
    assert.deepEqual(await find('workflow=order&reason=not-json'), [])
    assert.deepEqual(await find('pending=true'), ['c', 'b'])
    assert.deepEqual(await find('pending=false'), ['c', 'b', 'a'])
    assert.deepEqual(await find('since=2026-01-01T00:00:00Z'), ['c', 'b', 'a'])
    assert.deepEqual(await find('until=2026-01-01T00:00:00Z'), [])
    assert.deepEqual(await find('since=2100-01-01T00:00:00Z'), [])
  })

  test('a page that finds nothing in all that it may look at goes on with its cursor', async (t) => {
    const { call, log, bury } = await served(t)
    await bury({ message: 'the one', code: 'rare' })
    const other = { topic: 'dagger.dead-letter', partition: 0, key: null, value: null }
    for (let i = 0; i < 3; i++) await log.produce(Array.from({ length: 10_000 }, () => other))
    const first = await call<Page>('/dead-letters?reason=rare')
    assert.deepEqual(first.body.items, [])
    const second = await call<Page>(`/dead-letters?reason=rare&cursor=${first.body.next}`)
    assert.deepEqual([messagesOf(second.body), second.body.next], [['the one'], undefined])
  })

  test('refuses times, limits and cursors that are none', async (t) => {
    const { problem } = await served(t)
    for (const query of ['since=yesterday', 'until=1', 'limit=0', 'limit=1001', 'cursor=x', 'cursor=1..2', 'reasons=a'])
      await problem(`/dead-letters?${query}`, 400, 'request-invalid')
  })
})

suite('GET /dead-letters/{partition}/{offset}', () => {
  test('shows the original, its headers in their order, and a hash', async (t) => {
    const { call, bury } = await served(t)
    const headers = [
      { key: 'a', value: bytes('1') },
      { key: 'a', value: Buffer.from([0xff]) },
    ]
    await bury({ key: Buffer.from([0xfe]), value: bytes('{"n":1}'), headers })
    const { body } = await call<DeadLetterView>('/dead-letters/0/0')
    const { key, keyBase64, value, valueSha256 } = body
    assert.deepEqual([key, keyBase64, value], [null, '/g==', { n: 1 }])
    assert.equal(valueSha256, createHash('sha256').update('{"n":1}').digest('hex'))
    assert.deepEqual(body.headers, [
      { key: 'a', value: '1' },
      { key: 'a', value: null, valueBase64: '/w==' },
    ])
  })

  test('shows values as JSON, text or base64, and JSON that is too deep as text', async (t) => {
    const { call, bury } = await served(t)
    const deep = '['.repeat(100_000)
    const values = [bytes('[1]'), bytes('no json'), Buffer.from([0xff]), null, bytes(deep + ']'.repeat(100_000))]
    for (const value of values) await bury({ value })
    const found = []
    for (const offset of values.keys()) {
      const { body } = await call<DeadLetterView>(`/dead-letters/0/${offset}`)
      found.push(body.valueBase64 ?? body.value)
    }
    assert.deepEqual(found, [[1], 'no json', '/w==', null, deep + ']'.repeat(100_000)])
  })

  test('shows what was too large to be kept, and a time that is none', async (t) => {
    const { call, bury } = await served(t)
    await bury({ value: new Uint8Array(1_048_576), code: 'record-too-large', timestampMs: Number.MAX_SAFE_INTEGER })
    const { body } = await call<DeadLetterView>('/dead-letters/0/0')
    assert.deepEqual([body.isKept, body.value, body.bytes.value], [false, null, 1_048_576])
    assert.equal(body.valueSha256, '30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58')
    assert.equal(body.source.timestamp, null)
  })

  test('answers 404 where there is no letter: past the end, of no partition, a mark, or what a stranger put there', async (t) => {
    const { call, problem, bury, produce } = await served(t)
    await bury()
    await produce({ topic: 'dagger.dead-letter', partition: 0, key: null, value: bytes('stranger') })
    await call('/dead-letters/0/0/redrive', { body: {} })
    for (const place of ['0/1', '0/2', '0/3', '1/0', '3/0', '2147483647/9007199254740991']) {
      await problem(`/dead-letters/${place}`, 404, 'dead-letter-not-found')
      await problem(`/dead-letters/${place}/redrive`, 404, 'dead-letter-not-found', { body: {} })
    }
    await problem('/dead-letters/0/x', 400, 'request-invalid')
    await problem('/dead-letters/-1/0', 400, 'request-invalid')
  })
})

suite('POST /dead-letters/{partition}/{offset}/redrive', () => {
  const again = { body: {} }

  test('produces key, value and headers to the partition that they came from, and says where they went', async (t) => {
    const { call, bury, records, produce } = await served(t)
    await produce({ topic: 'orders', partition: 1, key: null, value: null })
    const value = Buffer.from([0x00, 0xff])
    const headers = [
      { key: 'dw-reason', value: Buffer.from([0xff]) },
      { key: 'a', value: bytes('1') },
      { key: 'a', value: bytes('') },
    ]
    await bury({ key: Buffer.from([0xfe]), value, headers, partition: 1, into: 2 })
    const { status, body } = await call<RedriveAnswer>('/dead-letters/2/0/redrive', again)
    assert.deepEqual([status, body], [201, { outcome: 'redriven', to: { topic: 'orders', partition: 1, offset: 1 } }])
    const [, record, ...more] = await records('orders', 1)
    assert.deepEqual(more, [])
    assert.deepEqual([Buffer.from(record?.key ?? []), Buffer.from(record?.value ?? [])], [Buffer.from([0xfe]), value])
    assert.deepEqual(headersOf(record), [
      ['dw-reason', '\u00ff'],
      ['a', '1'],
      ['a', ''],
      ['dw-redriven-from', 'dagger.dead-letter/2@0'],
      ['dw-redriven-times', '1'],
      ['dw-redriven-first', 'orders/1@7'],
      ['dw-redriven-first-timestamp', '1700000000000'],
    ])
  })

  test('says of a letter who had it redriven, where they said so', async (t) => {
    const { call, bury } = await served(t)
    for (let letter = 0; letter < 3; letter++) await bury()
    await call('/dead-letters/0/0/redrive', { body: { by: 'ann' } })
    await call('/dead-letters/redrive', { body: { limit: 1, by: 'bob' } })
    await call('/dead-letters/0/2/redrive', { body: {} })
    const { body } = await call<{ readonly items: readonly DeadLetterSummary[] }>('/dead-letters')
    assert.deepEqual(
      body.items.map(({ offset, redriven }) => [offset, redriven?.by]),
      [
        [2, undefined],
        [1, 'bob'],
        [0, 'ann'],
      ],
    )
  })

  test('is done once, however often and by whomever it is asked; a letter says that it was, and `again` does it again', async (t) => {
    const { call, bury, records, others } = await served(t)
    await bury()
    const asked = await Promise.all(
      Array.from({ length: 5 }, () => call<RedriveAnswer>('/dead-letters/0/0/redrive', again)),
    )
    assert.deepEqual(
      asked.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 200, 200, 200, 201],
    )
    const other = await others.redrive(0, 0, {})
    assert.equal(other.outcome, 'already-redriven')
    assert.equal((await records('orders')).length, 1)
    const { redriven } = (await call<DeadLetterView>('/dead-letters/0/0')).body
    assert.deepEqual([redriven?.topic, redriven?.partition], ['orders', 0])
    assert.deepEqual((await call<Page>('/dead-letters')).body.items[0]?.redriven, redriven)
    assert.equal((await call('/dead-letters/0/0/redrive', { body: { again: true } })).status, 201)
    assert.equal((await records('orders')).length, 2)
  })

  test('two workers at once do it once: one is fenced, and told that it may ask again', async (t) => {
    const { deadLetters, others, bury, records } = await openLetters(t)
    for (let i = 0; i < 20; i++) await bury()
    for (let offset = 0; offset < 20; offset++) {
      const both = await Promise.allSettled([deadLetters.redrive(0, offset, {}), others.redrive(0, offset, {})])
      for (const each of both) if (each.status === 'rejected') assert.ok(each.reason instanceof TransientFault)
      await others.redrive(0, offset, {})
    }
    assert.equal((await records('orders')).length, 20)
  })

  test('of a transaction that nobody knows the end of: asked again, it is done once', async (t) => {
    let isLost = true
    const { problem, call, bury, records } = await served(t, (log) =>
      wrapped(log, async (real, sent) => {
        const ends = await real.transact(sent)
        if (!isLost) return ends
        throw new OutcomeUnknown('the answer was lost')
      }),
    )
    await bury()
    await problem('/dead-letters/0/0/redrive', 503, 'outcome-unknown', again)
    isLost = false
    assert.equal((await call('/dead-letters/0/0/redrive', again)).status, 200)
    assert.equal((await records('orders')).length, 1)
  })

  test('to another topic goes by key', async (t) => {
    const { call, bury, records } = await served(t)
    await bury({ key: bytes('o-1') })
    await bury({ partition: 1 })
    const { body } = await call<RedriveAnswer>('/dead-letters/0/0/redrive', { body: { toTopic: 'mended' } })
    assert.ok(body.outcome === 'redriven')
    // murmur2 of "o-1" among five.
    assert.deepEqual(body.to, { topic: 'mended', partition: 2, offset: 0 })
    assert.equal((await records('mended', 2)).length, 1)
    const keyless = await call<RedriveAnswer>('/dead-letters/0/1/redrive', { body: { toTopic: 'mended' } })
    assert.deepEqual(keyless.body.outcome === 'redriven' && keyless.body.to.partition, 1)
    assert.equal((await records('orders')).length, 0)
  })

  test('is refused where the record was not kept, and where the topic or its partition is gone, is ours, or does not take it', async (t) => {
    const { problem, bury, records, call } = await served(t)
    const full = new Uint8Array(1_048_576 - 8_192)
    await bury({ value: new Uint8Array(1_048_576) })
    await bury({ topic: 'gone' })
    await bury({ partition: 2 })
    await bury({ topic: 'dagger.inbox' })
    await bury({ value: full })
    const large = await problem('/dead-letters/0/0/redrive', 409, 'not-kept', again)
    assert.match(large.body.detail, /1048576 bytes.*orders\/0@7/)
    await problem('/dead-letters/0/1/redrive', 422, 'redrive-refused', again)
    await problem('/dead-letters/0/2/redrive', 422, 'redrive-refused', again)
    await problem('/dead-letters/0/3/redrive', 409, 'topic-reserved', again)
    await problem('/dead-letters/0/4/redrive', 422, 'redrive-refused', again)
    await problem('/dead-letters/0/1/redrive', 409, 'topic-reserved', { body: { toTopic: 'dagger.dead-letter' } })
    for (const partition of [0, 1]) assert.deepEqual(await records('orders', partition), [])
    assert.equal((await call<Page>('/dead-letters?pending=true')).body.items.length, 5)
  })
})

suite('POST /dead-letters/redrive', () => {
  test('redrives what the filter wants, the oldest of a partition first, and counts what it did', async (t) => {
    const { redriveMany, bury, records, call } = await served(t)
    for (const value of ['1', '2', '3']) await bury({ value: bytes(value) })
    await bury({ value: bytes('4'), workflow: 'refund' })
    await bury({ value: bytes('5'), into: 1 })
    await bury({ topic: 'gone' })
    await call('/dead-letters/0/1/redrive', { body: {} })
    const wanted = await redriveMany({ workflow: 'refund' })
    assert.deepEqual([wanted.redriven, wanted.failed, wanted.alreadyRedriven, wanted.next], [1, 0, 0, undefined])
    const all = await redriveMany({})
    assert.deepEqual([all.redriven, all.failed, all.alreadyRedriven, all.next], [3, 1, 2, undefined])
    assert.deepEqual(
      all.results.map((each) => [each.partition, each.offset, each.outcome]),
      [
        [0, 0, 'redriven'],
        [0, 2, 'redriven'],
        [0, 4, 'failed'],
        [1, 0, 'redriven'],
      ],
    )
    const failed = all.results[2]
    assert.equal(failed?.outcome === 'failed' && failed.code, 'redrive-refused')
    const values = (await records('orders')).map(({ value }) => Buffer.from(value ?? []).toString())
    assert.deepEqual(values, ['2', '4', '1', '3', '5'])
    const rest = await redriveMany({})
    assert.deepEqual([rest.redriven, rest.failed, rest.alreadyRedriven], [0, 1, 5])
  })

  test('a dry run says what would be and does nothing', async (t) => {
    const { redriveMany, bury, records } = await served(t)
    await bury()
    await bury({ value: new Uint8Array(1_048_576) })
    const { results, redriven } = await redriveMany({ dryRun: true })
    assert.deepEqual([results.map(({ outcome }) => outcome), redriven], [['pending', 'failed'], 0])
    assert.equal((await records('orders')).length, 0)
    assert.equal((await records('dagger.dead-letter')).length, 2)
  })

  test('goes on with its cursor, and what dies meanwhile waits for another call', async (t) => {
    const { redriveMany, bury, records } = await served(t)
    for (let i = 0; i < 7; i++) await bury({ into: i % 3 })
    const counts = []
    let cursor: string | undefined
    do {
      const { redriven, alreadyRedriven, next } = await redriveMany({ limit: 3, ...(cursor && { cursor }) })
      counts.push(redriven)
      assert.equal(alreadyRedriven, 0)
      for (const into of [0, 1, 2]) await bury({ into })
      cursor = next
    } while (cursor !== undefined)
    assert.deepEqual(counts, [3, 3, 1])
    assert.equal((await records('orders')).length, 7)
  })

  test('that is stopped on its way tells what it did and why it stopped; going on redrives nothing twice', async (t) => {
    let left = 3
    const { redriveMany, problem, bury, records } = await served(t, (log) =>
      wrapped(log, async (real, sent) => {
        const ends = await real.transact(sent)
        if (left-- > 0) return ends
        throw new OutcomeUnknown('the answer was lost')
      }),
    )
    for (let i = 0; i < 6; i++) await bury()
    const first = await redriveMany({})
    assert.deepEqual([first.redriven, first.stopped?.code], [3, 'outcome-unknown'])
    // With nothing to tell, it is the problem that it is.
    await problem('/dead-letters/redrive', 503, 'outcome-unknown', { body: { cursor: first.next } })
    left = 10
    const rest = await redriveMany({ cursor: first.next })
    assert.deepEqual([rest.redriven, rest.alreadyRedriven, rest.stopped], [1, 2, undefined])
    assert.equal((await records('orders')).length, 6)
  })

  test('refuses bodies that are none', async (t) => {
    const { problem } = await served(t)
    for (const path of ['/dead-letters/redrive', '/dead-letters/0/0/redrive'])
      await problem(path, 400, 'request-invalid', { method: 'POST' })
    for (const body of [{ since: 'x' }, { limit: 0 }, { cursor: '1' }, { topics: 'a' }, [], { dryRun: 'yes' }])
      await problem('/dead-letters/redrive', 400, 'request-invalid', { body })
  })
})
