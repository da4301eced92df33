// Streams of events over HTTP: what they tell, where they go on, and how they end.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { silentLogger } from '../../src/base/logger.ts'
import { EventStreams } from '../../src/http/event-stream.ts'
import { startHttpServer } from '../../src/http/server.ts'
import { Unavailable, type WorkerRecord } from '../../src/runtime/face.ts'
import { FakeWorker } from '../support/fake-worker.ts'
import { serve, until } from '../support/http.ts'

interface Event {
  readonly id?: string
  readonly event?: string
  readonly data: { readonly [member: string]: unknown }
}

/** The events of a stream as they come; `next` gives undefined at its end. */
async function listen(t: TestContext, url: string, headers: { [name: string]: string } = {}) {
  const gone = new AbortController()
  t.after(() => gone.abort())
  const answer = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: gone.signal })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'text/event-stream')
  assert.ok(answer.body !== null)
  const events = eventsOf(answer.body)
  const next = async (): Promise<Event | undefined> => {
    const { value, done } = await events.next()
    return done === true ? undefined : value
  }
  return { next, leave: () => gone.abort() }
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Event> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const piece of body) {
    const parts = `${text}${decoder.decode(piece, { stream: true })}`.split('\n\n')
    text = parts.pop() ?? ''
    for (const part of parts) {
      const fields = new Map(part.split('\n').map((line) => line.split(/: (.*)/s) as [string, string]))
      const data = fields.get('data')
      const [id, event] = [fields.get('id'), fields.get('event')]
      if (data !== undefined && event !== undefined)
        yield { ...(id === undefined ? {} : { id }), event, data: JSON.parse(data) }
    }
  }
}

const told = (event: Event | undefined): readonly unknown[] => [event?.id, event?.event, event?.data['note']]

test('the timeline of an instance is told from its start, as it goes on, and to its end', async (t) => {
  const { worker, url } = await serve(t)
  worker.change('i-1', { timelineDropped: 3 }, 'a')
  const { next } = await listen(t, `${url}/instances/i-1/events`)
  assert.deepEqual((await next())?.data, { count: 3 })
  assert.deepEqual(told(await next()), ['4', 'timeline', 'a'])
  await until(() => worker.waiting === 1)
  worker.change('i-1', {}, 'b')
  assert.deepEqual(told(await next()), ['5', 'timeline', 'b'])
  worker.change('i-1', { status: 'COMPLETED', endedAt: '2026-01-01T00:00:00.000Z' }, 'c')
  assert.deepEqual(told(await next()), ['6', 'timeline', 'c'])
  assert.deepEqual(await next(), { event: 'end', data: { status: 'COMPLETED' } })
  assert.equal(await next(), undefined)
})

test('Last-Event-ID, or `after`, goes on behind an entry; the header wins', async (t) => {
  const { worker, url } = await serve(t)
  for (const note of ['a', 'b', 'c']) worker.change('i-1', {}, note)
  const back = await listen(t, `${url}/instances/i-1/events?after=1`, { 'last-event-id': '2' })
  assert.deepEqual(told(await back.next()), ['3', 'timeline', 'c'])
  const asked = await listen(t, `${url}/instances/i-1/events?after=1`)
  assert.deepEqual(told(await asked.next()), ['2', 'timeline', 'b'])
  // An id of another instance, or of none: what comes from now on.
  const far = await listen(t, `${url}/instances/i-1/events?after=99`)
  await until(() => worker.waiting === 3)
  worker.change('i-1', {}, 'd')
  assert.deepEqual(told(await far.next()), ['4', 'timeline', 'd'])
})

test('what is not there is a problem document, and so is an id that is none', async (t) => {
  const { problem, worker, url } = await serve(t)
  await problem('/instances/i-9/events', 404, 'instance-not-found')
  worker.change('i-1', {})
  await problem('/instances/i-1/events', 400, 'request-invalid', { headers: { 'last-event-id': 'x' } })
  await problem('/events?status=COFFEE', 400, 'request-invalid')
  // It would have no body, and no end either.
  for (const path of ['/events', '/instances/i-1/events'])
    assert.equal((await fetch(url + path, { method: 'HEAD' })).status, 405)
})

test('changes of instances are told as a filter wants them, the last of several that follow each other', async (t) => {
  const { worker, url } = await serve(t)
  const { next, leave } = await listen(t, `${url}/events?workflow=order`)
  await until(() => worker.watching === 1)
  worker.change('i-1', { workflow: 'refund' })
  worker.change('i-2', { workflow: 'order' })
  worker.change('i-2', { incidents: 1 })
  const event = await next()
  assert.deepEqual([event?.event, event?.data['id'], event?.data['incidents']], ['instance', 'i-2', 1])
  leave()
  await until(() => worker.watching === 0)
})

test('streams end when the server closes', async (t) => {
  const { worker, url, close } = await serve(t)
  worker.change('i-1', {}, 'a')
  const one = await listen(t, `${url}/instances/i-1/events`)
  const all = await listen(t, `${url}/events`)
  await one.next()
  await until(() => worker.watching === 1)
  await close()
  assert.deepEqual([await one.next(), await all.next()], [undefined, undefined])
  assert.equal(worker.watching, 0)
})

test('a client that does not read is cut, and holds nothing any more', async (t) => {
  const { worker, url } = await serve(t)
  worker.change('i-1', {}, 'a')
  const request = get(`${url}/instances/i-1/events`)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.pause()
  t.after(() => request.destroy())
  // More than the sockets on the way hold.
  const large = 'x'.repeat(1_000_000)
  for (let sent = 0; sent < 64; sent++) {
    worker.change('i-1', {}, large)
    await new Promise(setImmediate)
  }
  await until(() => worker.waiting === 0)
  response.resume()
  const [error] = (await once(response, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNRESET')
})

test('more streams than there may be are refused', async (t) => {
  const { problem, worker, url } = await serve(t)
  const opened = await Promise.all(Array.from({ length: 200 }, () => listen(t, `${url}/events`)))
  await until(() => worker.watching === 200)
  await problem('/events', 503, 'overloaded')
  opened[0]?.leave()
  await until(() => worker.watching === 199)
  const again = await listen(t, `${url}/events`)
  worker.change('i-1', {})
  assert.equal((await again.next())?.data['id'], 'i-1')
})

test('a stream says every so often that it is there, for proxies that cut what is silent', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const streams = new EventStreams()
  const stream = streams.open()
  let beats = 0
  stream.onBeat(() => (beats += 1))
  const sent: PassThrough[] = []
  const reply = {
    type: () => reply,
    header: () => reply,
    send: (body: PassThrough) => sent.push(body),
    raw: new EventEmitter(),
  }
  stream.send(reply as never)
  const said = () => String(sent[0]?.read() ?? '')
  assert.equal(said(), 'retry: 2000\n\n')
  t.mock.timers.tick(15_000)
  assert.deepEqual([said(), beats], [': still here\n\n', 1])
  streams.close()
  assert.throws(() => streams.open(), Unavailable)
})

/** Two workers that know of each other: the first runs partition 0, the other one partition 1. */
async function twoWorkers(t: TestContext) {
  const workers = [new FakeWorker(), new FakeWorker()] as const
  const servers = await Promise.all(workers.map((worker) => startHttpServer({ worker, port: 0, logger: silentLogger })))
  const [first, second] = servers
  assert.ok(first !== undefined && second !== undefined)
  t.after(() => Promise.all(servers.map((server) => server.close())))
  const at = '2026-01-01T00:00:00.000Z'
  const recordOf = (worker: string, url: string, partition: number): WorkerRecord => {
    return { worker, url, startedAt: at, at, owned: [{ partition, position: 1 }], copies: [] }
  }
  workers[0].peers.push(recordOf('w-1', second.url, 1))
  workers[1].peers.push(recordOf('w-0', first.url, 0))
  return { workers, first, second }
}

test('an instance of another worker is told of by any, and goes on behind the last id there', async (t) => {
  const { workers, first, second } = await twoWorkers(t)
  const [here, there] = workers
  here.instances = { ...here.instances, find: () => Promise.reject(new Unavailable('not-ready', 'not here', 1)) }
  for (const note of ['a', 'b']) there.change('i-1', {}, note)
  const { next } = await listen(t, `${first.url}/instances/i-1/events`, { 'last-event-id': '1' })
  assert.deepEqual(told(await next()), ['2', 'timeline', 'b'])
  await until(() => there.waiting === 1)
  there.change('i-1', {}, 'c')
  assert.deepEqual(told(await next()), ['3', 'timeline', 'c'])
  await second.close()
  assert.equal(await next(), undefined)
})

test('changes are told of all workers, and the stream ends with one of them', async (t) => {
  const { workers, first, second } = await twoWorkers(t)
  const [here, there] = workers
  const { next } = await listen(t, `${first.url}/events`)
  await until(() => here.watching === 1 && there.watching === 1)
  there.change('i-there', {})
  assert.equal((await next())?.data['id'], 'i-there')
  here.change('i-here', {})
  assert.equal((await next())?.data['id'], 'i-here')
  await second.close()
  assert.equal(await next(), undefined)
  await until(() => here.watching === 0)
})
