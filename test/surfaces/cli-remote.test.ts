import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Surroundings } from '../../src/cli/program.ts'
import { type TaskView, Unavailable } from '../../src/runtime/face.ts'
import { commandLine } from '../support/command-line.ts'
import { serve, until } from '../support/http.ts'

async function servedCommandLine(t: TestContext, given: Partial<Surroundings> = {}) {
  const { worker, url } = await serve(t)
  return { worker, url, ...commandLine(t, { env: { DAGGER_WORKER_SERVER: url }, ...given }) }
}

/** All values of a topic of the fake worker, by partition. */
function valuesOf(worker: Awaited<ReturnType<typeof serve>>['worker'], topic: string): readonly unknown[] {
  return worker.records.get(topic)!.flatMap((records) => records.map(({ value }) => value))
}

test('a worker that is not there is one clear message with the command that starts it', async (t) => {
  const shell = commandLine(t, { env: { DAGGER_WORKER_SERVER: 'http://127.0.0.1:1' } })
  const commands = [
    ['topics', 'list'],
    ['produce', 'orders', '--value', '1'],
    ['run', 'order'],
  ]
  for (const command of commands) {
    const { code, stderr } = await shell.type(...command)
    assert.equal(code, 3)
    assert.match(stderr, /No worker answers at http:\/\/127\.0\.0\.1:1 \(.+\)/)
    assert.match(stderr, /dagger-worker start --workflows/)
    assert.doesNotMatch(stderr, / at .*\.ts:/)
  }
})

test('--server wins over the environment', async (t) => {
  const { url } = await serve(t)
  const shell = commandLine(t, { env: { DAGGER_WORKER_SERVER: 'http://127.0.0.1:1' } })
  assert.equal((await shell.type('topics', 'list', '--server', `${url}/`)).code, 0)
})

test('produce writes JSON as JSON and tells where it went', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  const { code, stdout } = await type(
    'produce',
    'orders',
    '--key',
    'o-1',
    '--value',
    '{"amount":1.5}',
    '--partition',
    '1',
  )
  assert.deepEqual([code, stdout], [0, 'orders/1@0\n'])
  const record = worker.records.get('orders')![1]![0]
  assert.deepEqual([record?.key, record?.value], ['o-1', { amount: 1.5 }])
})

test('produce writes what is not JSON as text, and headers with it', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  const { stdout } = await type(
    'produce',
    'reviews',
    '--key',
    'ö',
    '--value',
    'hello é',
    '--header',
    'a=b=c',
    '--header',
    'd=',
    '--json',
  )
  assert.deepEqual(JSON.parse(stdout), { topic: 'reviews', partition: 0, offset: 0 })
  const record = worker.records.get('reviews')![0]![0]
  assert.deepEqual([record?.key, record?.value, record?.headers], ['ö', 'hello é', { a: 'b=c', d: '' }])
})

test('produce reads a file, one JSON value a line, in batches and in order', async (t) => {
  const { worker, directory, type } = await servedCommandLine(t)
  const numbers = Array.from({ length: 1_203 }, (_, index) => index)
  writeFileSync(join(directory, 'lines.jsonl'), numbers.map((n) => `{"n":${n}}`).join('\r\n'))
  const { code, stdout } = await type('produce', 'reviews', '--file', 'lines.jsonl')
  assert.deepEqual([code, stdout], [0, '1203 records produced to reviews\n'])
  assert.deepEqual(
    valuesOf(worker, 'reviews'),
    numbers.map((n) => ({ n })),
  )
})

test('produce reads standard input, whatever pieces it comes in', async (t) => {
  async function* stdin() {
    const bytes = Buffer.from('{"a":"ö"}\n\n{"a":2}')
    for (const byte of bytes) yield Uint8Array.of(byte)
  }
  const { worker, type } = await servedCommandLine(t, { stdin: stdin() })
  assert.equal((await type('produce', 'reviews', '--file', '-')).code, 0)
  assert.deepEqual(valuesOf(worker, 'reviews'), [{ a: 'ö' }, { a: 2 }])
})

test('a line that is not JSON ends produce, and says which line and what was produced', async (t) => {
  const { worker, directory, type } = await servedCommandLine(t)
  writeFileSync(join(directory, 'lines.jsonl'), '1\n\n2\n{oops}\n3\n')
  const { code, stderr } = await type('produce', 'reviews', '--file', 'lines.jsonl')
  assert.equal(code, 1)
  assert.match(stderr, /lines\.jsonl:4 is not JSON/)
  assert.match(stderr, /2 records before it produced/)
  assert.deepEqual(valuesOf(worker, 'reviews'), [1, 2])
  assert.equal((await type('produce', 'reviews', '--file', 'missing.jsonl')).code, 2)
})

test('a topic that is not there, or that refuses a record, fails produce', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  const unknown = await type('produce', 'order', '--value', '1')
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /Did you mean "orders"\?/)
  worker.produceResults.push({ error: 'record-too-large', message: '2 MB' })
  const refused = await type('produce', 'orders', '--value', '1')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /record-too-large: 2 MB/)
})

test('consume merges the partitions by time', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  const at = (second: number, partition: number, offset: number) => ({
    partition,
    offset,
    timestamp: `2026-01-01T00:00:0${second}.000Z`,
    key: `k-${second}`,
    value: second,
    headers: {},
  })
  worker.records.set('orders', [[at(1, 0, 0), at(5, 0, 1)], [at(2, 1, 0), at(4, 1, 1)], [at(3, 2, 0)]])
  const lines = async (...flags: string[]) =>
    (await type('consume', 'orders', '--json', ...flags)).stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line): unknown => JSON.parse(line).value)
  assert.deepEqual(await lines(), [1, 2, 3, 4, 5])
  assert.deepEqual(await lines('--limit', '2'), [1, 2])
  assert.deepEqual(await lines('--partition', '1'), [2, 4])
  assert.deepEqual(await lines('--from', '1'), [4, 5])
  const { stdout } = await type('consume', 'orders', '--limit', '1')
  assert.equal(stdout, '2026-01-01T00:00:01.000Z  orders/0@0  k-1  1\n')
})

test('consume --follow goes on with what arrives, until the limit', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  await worker.produce('orders', [{ key: 'a', value: Buffer.from('1'), partition: 0 }])
  const result = type('consume', 'orders', '--follow', '--limit', '3', '--json')
  await until(() => worker.waiting === 3)
  await worker.produce('orders', [{ key: 'b', value: Buffer.from('2'), partition: 2 }])
  await worker.produce('orders', [{ key: 'c', value: Buffer.from('3'), partition: 1 }])
  const { code, stdout } = await result
  assert.equal(code, 0)
  assert.deepEqual(stdout.match(/"key":"."/g), ['"key":"a"', '"key":"b"', '"key":"c"'])
})

test('consume --from latest shows only what is new', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  await worker.produce('reviews', [{ key: 'old', value: Buffer.from('1') }])
  const result = type('consume', 'reviews', '--from', 'latest', '--limit', '1')
  await until(() => worker.waiting === 1)
  await worker.produce('reviews', [{ key: 'new', value: Buffer.from('2') }])
  assert.match((await result).stdout, /^.*reviews\/0@1 {2}new {2}2\n$/)
})

test('a payload cannot write control characters to the terminal', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  const evil = '\u001b[2J\u009b31m\u202e'
  await worker.produce('reviews', [
    { key: evil, value: Buffer.from(JSON.stringify(evil)), headers: [{ key: evil, value: Buffer.from(evil) }] },
  ])
  worker.change('i-1', { key: evil, vars: { evil }, origin: evil, error: { code: 'x', message: evil } }, evil)
  const commands = [
    ['consume', 'reviews'],
    ['instances', 'list'],
    ['instances', 'show', 'i-1'],
  ]
  for (const command of commands) {
    const { code, stdout } = await type(...command)
    assert.equal(code, 0)
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /\p{Cc}|\u202e/u)
    assert.match(stdout, /\\u001b/)
  }
})

test('consume of a topic or a partition that is not there fails', async (t) => {
  const { type } = await servedCommandLine(t)
  assert.equal((await type('consume', 'nope')).code, 1)
  assert.equal((await type('consume', 'orders', '--partition', '3')).code, 2)
})

test('topics list counts partitions and records', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  await worker.produce('orders', [{ key: 'a', value: Buffer.from('1') }])
  assert.match((await type('topics', 'list')).stdout, /^TOPIC +PARTITIONS +RECORDS\norders +3 +1\nreviews +1 +0\n$/)
  const json = JSON.parse((await type('topics', 'list', '--json')).stdout)
  assert.equal(json[0].partitions.length, 3)
})

test('workers tells who runs what, and who keeps copies', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  assert.match((await type('workers')).stdout, /embedded log/)
  const places = (...numbers: number[]) => numbers.map((partition) => ({ partition, position: 5 }))
  const said = { url: 'http://127.0.0.1:7070', startedAt: '2026-01-01T00:00:00.000Z', at: '2026-01-01T00:01:00.000Z' }
  worker.peers.push(
    { worker: 'w-1', ...said, owned: places(4, 0, 1, 2), copies: places() },
    { worker: 'w-2', ...said, owned: places(3), copies: places(0, 1, 4) },
  )
  const { stdout } = await type('workers')
  assert.match(stdout, /^WORKER +URL +RUNS +COPIES +SINCE +HEARD\n/)
  assert.match(stdout, /w-1 +http:\/\/127\.0\.0\.1:7070 +0-2, 4 +none /)
  assert.match(stdout, /w-2 +http:\/\/127\.0\.0\.1:7070 +3 +0-1, 4 /)
  assert.deepEqual(JSON.parse((await type('workers', '--json')).stdout), worker.peers)
})

test('instances list filters and pages', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  for (let n = 1; n <= 60; n++) worker.change(`i-${n}`, { key: `o-${n}`, incidents: n === 7 ? 1 : 0 })
  const all = await type('instances', 'list')
  assert.equal(all.stdout.split('\n').length, 1 + 50 + 1)
  assert.match(all.stderr, /newest 50 instances/)
  assert.match((await type('instances', 'list', '--incident')).stdout, /order\/o-7 +EXECUTING, 1 incident/)
  const json = await type('instances', 'list', '--key-prefix', 'o-6', '--status', 'executing', '--json')
  assert.deepEqual(json.stdout.match(/"key":"o-\d+"/g), ['"key":"o-60"', '"key":"o-6"'])
  const none = await type('instances', 'list', '--workflow', 'nope')
  assert.deepEqual([none.code, none.stdout], [0, ''])
  const begun = Date.now()
  worker.change('i-60', { attributes: { customer: 'c-\u001b17', amount: 5 } })
  const seen = await type('instances', 'list', '--attribute', 'customer=c=17', 'amount=5', '--limit', '2')
  assert.deepEqual(worker.listed.at(-1)?.attribute, ['customer:c=17', 'amount:5'])
  assert.match(seen.stdout, /^INSTANCE .* ATTRIBUTES +ID\n.*customer=c-\\u001b17 amount=5 +i-60\n.* i-59\n$/)
  assert.equal((await type('instances', 'list', '--attribute', 'customer')).code, 2)
  const more = ['--version', 'spring', '--status', 'failed', 'stopped', '--waiting-at', 'each[].charge']
  const times = ['--started-after', '2h', '--ended-before', '2030-01-31T07:00:00+01:00']
  assert.equal((await type('instances', 'list', ...more, ...times)).code, 0)
  const { startedAfter = '', ...rest } = worker.listed.at(-1) ?? {}
  assert.deepEqual(rest, {
    version: 'spring',
    status: ['FAILED', 'STOPPED'],
    waitingAt: 'each[].charge',
    endedBefore: '2030-01-31T06:00:00Z',
    limit: 50,
  })
  const agoMs = begun - Date.parse(startedAfter)
  assert.ok(Math.abs(agoMs - 7_200_000) < 60_000, startedAfter)
  assert.equal((await type('instances', 'list', '--started-after', 'yesterday')).code, 2)
})

const charged: TaskView = {
  name: 'charged',
  scope: 'payment',
  type: 'kafka-listener',
  status: 'EXECUTING',
  attempt: 1,
  hasIncident: false,
  startedAt: '2026-01-01T00:00:01.000Z',
  waitsFor: "a record of payment-events for 'o-1'",
}

test('instances show has header, tasks with what they wait for, values and timeline', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  worker.change('i-1', {
    key: 'o/1',
    tasks: [charged],
    input: { amount: 2 },
    vars: { carrier: 'none' },
    attributes: { customer: 'c-17' },
    attributesAbsent: { region: 'No such key: region in `input.region`\n  input.region' },
    origin: 'record orders/3@17',
  })
  const { code, stdout } = await type('instances', 'show', 'order/o/1')
  assert.equal(code, 0)
  for (const part of [
    /^order\/o\/1 {2}EXECUTING\n/,
    /^ {2}id +i-1$/m,
    /^ {2}origin +record orders\/3@17$/m,
    /^ {2}attributes +customer=c-17\n +no region: No such key: region in `input\.region`$/m,
    /payment › charged +kafka-listener +EXECUTING +1 +00:00:01\.000 +waits for a record of payment-events for 'o-1'/,
    /^Input {2}\{\n {2}"amount": 2\n\}$/m,
    /^Vars {2}\{/m,
    /^Timeline \(UTC\)\n {2}00:00:00\.000 {2}instance +EXECUTING {2}changed$/m,
  ]) {
    assert.match(stdout, part)
  }
  assert.equal(JSON.parse((await type('instances', 'show', 'i-1', '--json')).stdout).id, 'i-1')
})

test('an instance that is not there fails instances show', async (t) => {
  const { type } = await servedCommandLine(t)
  for (const name of ['i-9', 'order/o-9']) assert.equal((await type('instances', 'show', name)).code, 1)
})

test('run follows an instance live and ends with its output', async (t) => {
  const { worker, stdout, type } = await servedCommandLine(t)
  const result = type('run', 'order', '--key', 'o-1', '--input', '{"amount":3}')
  await until(() => worker.waiting === 1)
  worker.change('instance-1', {}, 'charged')
  await until(() => stdout().includes('charged'))
  worker.change(
    'instance-1',
    { status: 'COMPLETED', endedAt: '2026-01-01T00:00:00.400Z', output: { tracking: 'T-1' } },
    'done',
  )
  const { code, stdout: text } = await result
  assert.equal(code, 0)
  assert.match(text, /^order\/o-1 started, id instance-1\n/)
  assert.match(text, /started\n.*charged\n.*COMPLETED {2}done\nCOMPLETED in 0\.4 s\n\{\n {2}"tracking": "T-1"\n\}\n$/)
  assert.deepEqual(worker.startRequests[0]?.input, { amount: 3 })
  assert.match(worker.startRequests[0]?.idempotencyKey ?? '', /^[0-9a-f-]{36}$/)
})

test('run fails when the instance fails or has an incident, and says where', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  const incident = type('run', 'order', '--key', 'o-1')
  await until(() => worker.waiting === 1)
  const task: TaskView = {
    ...charged,
    status: 'FAILED',
    hasIncident: true,
    error: { code: 'timeout', message: 'too late' },
  }
  worker.change('instance-1', { incidents: 1, tasks: [task] }, 'incident')
  const first = await incident
  assert.equal(first.code, 1)
  assert.match(
    first.stdout,
    /EXECUTING, 1 incident after .*\nincident at charged: timeout: too late\n.*instances show order\/o-1/,
  )
  const failed = type('run', 'order', '--key', 'o-2', '--json')
  await until(() => worker.waiting === 1)
  worker.change('instance-2', { status: 'FAILED', error: { code: 'no-case', message: 'none' } }, 'failed')
  const second = await failed
  assert.equal(second.code, 1)
  assert.equal(JSON.parse(second.stdout).error.code, 'no-case')
})

test('run --detach only starts, and the same idempotency key starts nothing twice', async (t) => {
  const { worker, directory, type } = await servedCommandLine(t)
  writeFileSync(join(directory, 'input.json'), '{"amount":4}')
  const first = await type('run', 'order', '--input', '@input.json', '--idempotency-key', 'once', '--detach')
  assert.deepEqual([first.code, worker.known.get('instance-1')?.input], [0, { amount: 4 }])
  assert.match(first.stdout, /instances show order\/once --follow/)
  const second = await type('run', 'order', '--idempotency-key', 'once', '--detach', '--json')
  assert.equal(JSON.parse(second.stdout).outcome, 'repeated')
  assert.equal(worker.known.size, 1)
})

test('run goes on with the trace that it is run in', async (t) => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const { worker, url } = await serve(t)
  const { type } = commandLine(t, { env: { DAGGER_WORKER_SERVER: url, TRACEPARENT: traceparent, TRACESTATE: 'a=1' } })
  assert.equal((await type('run', 'order', '--detach')).code, 0)
  assert.deepEqual(worker.startRequests[0]?.trace, { traceparent, tracestate: 'a=1' })
})

test('run waits for its turn where its start is queued, and follows it then; --detach does not', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  worker.startAnswers.push({ outcome: 'queued', key: 'o-1', place: 2 }, { outcome: 'queued', key: 'o-1', place: 1 })
  const result = type('run', 'order', '--key', 'o-1')
  await until(() => worker.waiting === 1)
  worker.change('instance-1', { status: 'COMPLETED', endedAt: '2026-01-01T00:00:00.400Z' }, 'done')
  const { code, stdout } = await result
  assert.equal(code, 0)
  assert.match(stdout, /^order\/o-1 waits for the one that runs, at place 2\norder\/o-1 started, id instance-1\n/)
  assert.equal(new Set(worker.startRequests.map(({ idempotencyKey }) => idempotencyKey)).size, 1)
  worker.startAnswers.push({ outcome: 'queued', key: 'o-2', place: 1 })
  const detached = await type('run', 'order', '--key', 'o-2', '--detach', '--json')
  assert.deepEqual(JSON.parse(detached.stdout), { outcome: 'queued', key: 'o-2', place: 1 })
})

test('a start that is refused fails run with every violation', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  worker.startAnswers.push({
    outcome: 'rejected',
    code: 'input-invalid',
    message: 'the input has 2 violations',
    violations: [
      { pointer: '/amount', message: 'must be number' },
      { pointer: '', message: "must have required property 'orderId'" },
    ],
  })
  const { code, stderr } = await type('run', 'order')
  assert.equal(code, 1)
  assert.match(stderr, /\/amount {2}must be number/)
  assert.match(stderr, /required property 'orderId'/)
  const unknown = await type('run', 'ordr')
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /Did you mean "order"\?/)
  assert.equal((await type('run', 'order', '--input', '{oops')).code, 2)
})

test('a start whose outcome is not known is repeated under the same idempotency key', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  const keys: (string | undefined)[] = []
  const { start } = worker.instances
  const startOnceLost: typeof start = async (request) => {
    keys.push(request.idempotencyKey)
    if (keys.length === 1) throw new Unavailable('outcome-unknown', 'The partition moved.')
    return start(request)
  }
  worker.instances = { ...worker.instances, start: startOnceLost }
  const { code } = await type('run', 'order', '--detach')
  assert.equal(code, 0)
  assert.equal(keys.length, 2)
  assert.equal(keys[0], keys[1])
})

test('Ctrl-C leaves the instance running and says how to follow it', async (t) => {
  const { worker, signal, type } = await servedCommandLine(t)
  const result = type('run', 'order', '--key', 'o-1')
  await until(() => worker.waiting === 1)
  signal('SIGINT')
  const { code, stderr } = await result
  assert.equal(code, 130)
  assert.match(stderr, /instances show order\/o-1 --follow/)
})

test('instances show --follow shows what was and what comes', async (t) => {
  const { worker, type } = await servedCommandLine(t)
  worker.change('i-1', { key: 'o-1' }, 'before')
  const result = type('instances', 'show', 'order/o-1', '--follow')
  await until(() => worker.waiting === 1)
  worker.change('i-1', { status: 'COMPLETED', endedAt: '2026-01-01T00:01:05.000Z' }, 'after')
  const { code, stdout } = await result
  assert.equal(code, 0)
  assert.match(stdout, /before\n.*after\nCOMPLETED in 1 min 5 s\n$/)
})
