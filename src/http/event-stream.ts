// Server-sent events (text/event-stream): streams of bounded number that live as long as their client reads. One that reads
// too slowly is cut: it comes back, and goes on behind the last id that it has seen. All of them end when the server closes.
import { PassThrough, Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { FastifyReply } from 'fastify'
import { Unavailable } from '../runtime/face.ts'
import { httpLimits } from './limits.ts'

export interface StreamedEvent {
  /** Where a client goes on that comes back. */
  readonly id?: number
  readonly event: string
  readonly data: unknown
}

export const eventStreamType = 'text/event-stream'

export class EventStreams {
  readonly #open = new Set<EventStream>()
  #isClosing = false

  /** @throws {Unavailable} overloaded: there are too many; not-ready: the server closes. */
  open(): EventStream {
    if (this.#isClosing) throw new Unavailable('not-ready', 'The worker is shutting down.')
    if (this.#open.size >= httpLimits.streamsMax)
      throw new Unavailable('overloaded', `${httpLimits.streamsMax} streams of events are open already.`)
    const stream = new EventStream()
    this.#open.add(stream)
    stream.onEnd(() => this.#open.delete(stream))
    return stream
  }

  /** Gives the caller a stream of another worker, as it comes. @throws {Unavailable} */
  async relay(body: ReadableStream, reply: FastifyReply): Promise<void> {
    const stream = this.open()
    stream.send(reply)
    const source = Readable.fromWeb(body)
    stream.onEnd(() => source.destroy())
    source.on('data', (bytes: Uint8Array) => stream.write(bytes))
    source.on('error', () => stream.end())
    source.on('end', () => stream.end())
    await reply
  }

  get count(): number {
    return this.#open.size
  }

  /** Ends all of them, and from now on none is opened. */
  close(): void {
    this.#isClosing = true
    for (const stream of this.#open) stream.end()
  }
}

export class EventStream {
  readonly #body = new PassThrough()
  readonly #heartbeat: NodeJS.Timeout
  readonly #onBeat: (() => void)[] = []
  #isOver = false

  constructor() {
    this.#heartbeat = setInterval(() => {
      this.write(': still here\n\n')
      for (const beat of this.#onBeat) beat()
    }, httpLimits.streamHeartbeatMs).unref()
    this.#body.once('close', () => {
      this.#isOver = true
      clearInterval(this.#heartbeat)
    })
    // A client that goes away is no error of ours.
    this.#body.on('error', () => {})
  }

  get isOver(): boolean {
    return this.#isOver
  }

  onEnd(callback: () => void): void {
    this.#body.once('close', callback)
  }

  /** Every so often, while it lives. */
  onBeat(callback: () => void): void {
    this.#onBeat.push(callback)
  }

  /** Makes it the answer. */
  send(reply: FastifyReply): void {
    // Proxies would collect what has to come at once.
    void reply.type(eventStreamType).header('x-accel-buffering', 'no').send(this.#body)
    reply.raw.once('close', () => this.#body.destroy())
    this.write(`retry: ${httpLimits.streamRetryMs}\n\n`)
  }

  push({ id, event, data }: StreamedEvent): void {
    this.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  /** Whole events as they are sent. A client that has too much to read is cut. */
  write(bytes: string | Uint8Array): void {
    if (this.#isOver || this.#body.writableEnded) return
    this.#body.write(bytes)
    if (this.#body.writableLength + this.#body.readableLength > httpLimits.streamBufferedBytesMax) this.#body.destroy()
  }

  end(): void {
    this.#body.end()
  }
}
