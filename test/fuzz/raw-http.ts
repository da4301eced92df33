// Bytes to the real server and back with no network: Node's HTTP server takes any stream for a connection, so that what
// is fuzzed is its parser, Fastify and the routes, exactly as they stand behind a socket.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

export interface RawAnswer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: Buffer
}

export interface RawRequest {
  readonly method: string
  /** With its query, as it is to stand in the first line. */
  readonly path: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body?: Uint8Array
}

/** A request that ends its connection, as a client would write it. */
export function requestBytes({ method, path, headers, body }: RawRequest): Uint8Array {
  const length = body === undefined ? [] : [['content-length', String(body.length)] as const]
  const lines = [...headers, ...length, ['connection', 'close'] as const].map(([name, value]) => `${name}: ${value}`)
  const head = `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), body ?? new Uint8Array()])
}

/** The port that the application takes itself to listen on, and that requests name in `Host`. */
export const port = 7_070

/** Both ends in one: what is written to it is the server's answer, what is pushed is the client's request. */
class Connection extends Duplex {
  readonly localPort = port
  readonly answered: Buffer[] = []

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.answered.push(chunk)
    done()
  }

  // What Node asks of a socket.
  setTimeout(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
  destroySoon(): void {
    this.end()
    this.destroy()
  }
}

/** Turns of the event loop in which an answer comes, if one comes. */
const turnsWaited = 500

/** What the server answers until it hangs up: nothing, or more than once, where the bytes are more than one request. */
export async function exchange(app: FastifyInstance, request: Uint8Array): Promise<readonly RawAnswer[]> {
  const connection = new Connection()
  const closed = once(connection, 'close')
  app.server.emit('connection', connection)
  connection.push(request)
  // A server that waits for the rest of a request would wait for long: the client goes away instead.
  for (let turn = 0; turn < turnsWaited && !connection.destroyed; turn++) await setImmediate()
  if (!connection.destroyed) connection.push(null)
  await closed
  const isHead = Buffer.from(request.subarray(0, 5)).equals(Buffer.from('HEAD '))
  const answers: RawAnswer[] = []
  let rest = Buffer.concat(connection.answered)
  while (rest.length > 0) {
    const { answer, length } = readAnswer(rest, isHead && answers.length === 0)
    // "100 Continue" comes before the answer itself.
    if (answer.status !== 100) answers.push(answer)
    rest = rest.subarray(length)
  }
  return answers
}

function readAnswer(bytes: Buffer, isHead: boolean): { readonly answer: RawAnswer; readonly length: number } {
  const end = bytes.indexOf('\r\n\r\n')
  assert.ok(end !== -1, 'an answer with no end of its head')
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1])
  assert.ok(Number.isInteger(status), 'an answer with no status')
  const headers: { [name: string]: string } = Object.create(null)
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  assert.equal(headers['transfer-encoding'], undefined, 'an answer in chunks')
  const behind = bytes.toString('latin1', end + 4, end + 13)
  // What cannot be read as a request has a body in its answer, whatever its method would have been.
  const hasBody = !isHead || (behind !== '' && behind !== 'HTTP/1.1 ')
  const length = end + 4 + (hasBody ? Number(headers['content-length'] ?? 0) : 0)
  assert.ok(length <= bytes.length, 'an answer that is not as long as it says')
  return { answer: { status, headers, body: bytes.subarray(end + 4, length) }, length }
}
