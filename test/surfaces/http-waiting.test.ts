import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { connect } from 'node:net'
import { suite, test } from 'node:test'
import type { ServerResponse } from 'node:http'
import { httpLimits } from '../../src/http/limits.ts'
import { LongPolls } from '../../src/http/long-polls.ts'
import { Unavailable } from '../../src/runtime/face.ts'
import { serve, until } from '../support/http.ts'

const never = () => new Promise<string>(() => {})
const otherwise = async () => 'otherwise'

function response(): ServerResponse {
  return Object(new EventEmitter())
}

suite('calls that wait', () => {
  test('get what they wait for', async () => {
    assert.equal(await new LongPolls().wait(async () => 'news', otherwise, response()), 'news')
  })

  test('get the other answer when the server closes, and no longer wait after that', async () => {
    const polls = new LongPolls()
    const waiting = [polls.wait(never, otherwise, response()), polls.wait(never, otherwise, response())]
    polls.close()
    assert.deepEqual(await Promise.all(waiting), ['otherwise', 'otherwise'])
    assert.equal(await polls.wait(never, otherwise, response()), 'otherwise')
  })

  test('end when their client is gone', async () => {
    const gone = response()
    const waiting = new LongPolls().wait(never, otherwise, gone)
    gone.emit('close')
    assert.equal(await waiting, 'otherwise')
    assert.equal(gone.listenerCount('close'), 0)
  })

  test('fail as the worker fails, also when nobody waits any more', async () => {
    const polls = new LongPolls()
    await assert.rejects(
      polls.wait(async () => Promise.reject(new Unavailable('not-ready', 'm')), otherwise, response()),
      { code: 'not-ready' },
    )
    const late = Promise.withResolvers<string>()
    const waiting = polls.wait(() => late.promise, otherwise, response())
    polls.close()
    assert.equal(await waiting, 'otherwise')
    // Were this rejection unhandled, the process would end, and this file fail.
    late.reject(new Error('too late'))
    await new Promise(setImmediate)
  })

  test('are bounded in number, and one that ends makes room for another', async () => {
    const polls = new LongPolls()
    const first = response()
    const waiting = [polls.wait(never, otherwise, first)]
    for (let i = 1; i < httpLimits.longPollsMax; i++) waiting.push(polls.wait(never, otherwise, response()))
    await assert.rejects(polls.wait(never, otherwise, response()), { code: 'overloaded' })
    first.emit('close')
    await waiting[0]
    waiting.push(polls.wait(never, otherwise, response()))
    polls.close()
    assert.equal((await Promise.all(waiting)).length, httpLimits.longPollsMax + 1)
  })
})

suite('a server that closes', () => {
  test('does not wait for a client that keeps its connection open', async (t) => {
    const { close, port } = await serve(t)
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`GET /health HTTP/1.1\r\nhost: localhost:${port}\r\n\r\n`),
    )
    let received = ''
    socket.setEncoding('utf8').on('data', (part: string) => (received += part))
    const closed = new Promise((resolve) => socket.on('close', resolve))
    await until(() => received.includes('"counters"'))
    await close()
    await closed
  })

  test('lets calls under way finish', async (t) => {
    const { call, close, worker } = await serve(t)
    const late = Promise.withResolvers<undefined>()
    let isAsked = false
    const find = () => {
      isAsked = true
      return late.promise
    }
    worker.instances = { ...worker.instances, find }
    const answer = call('/instances/a')
    await until(() => isAsked)
    const closing = close()
    late.resolve(undefined)
    assert.equal((await answer).status, 404)
    await closing
  })

  test('is not ready for a request that comes in on an open connection', async (t) => {
    const { close, port } = await serve(t)
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.setEncoding('utf8').on('data', (part: string) => (received += part))
    const hungUp = new Promise((resolve) => socket.on('close', resolve))
    await new Promise((resolve) => socket.on('connect', resolve))
    const closing = close()
    socket.write(`GET /health HTTP/1.1\r\nhost: localhost:${port}\r\n\r\n`)
    await Promise.all([closing, hungUp])
    assert.match(received, /^HTTP\/1\.1 503 .*"code":"not-ready"/s)
  })
})
