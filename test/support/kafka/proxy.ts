// A proxy before a broker that knows Kafka's frames: one request, picked by its API, meets a fate. For tests of what a
// client does when an answer is lost, late, or cut off. The broker's advertised listener is the proxy, so that everything
// goes through it, the broker's own markers of transactions too.
//
//   request: size(4) api(2) version(2) correlation(4) client id…      answer: size(4) correlation(4)…
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { startBroker } from './broker.ts'
import type { KafkaBroker } from './broker.ts'

/** Numbers of the protocol. */
const apis = {
  Produce: 0,
  Fetch: 1,
  Metadata: 3,
  FindCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  EndTxn: 26,
  WriteTxnMarkers: 27,
} as const
export type Api = keyof typeof apis

export type Fate =
  /** The connection is cut before the broker has seen any of it. */
  | 'lost-request'
  /** The broker gets half of it, then both connections are cut. */
  | 'cut-request'
  /** The broker has answered when the connection to the client is cut. */
  | 'lost-answer'
  /** The client gets half of the answer. */
  | 'cut-answer'
  /** The connection to the client is cut at once; the broker gets the request when it is released. */
  | 'late-request'
  /** The client waits; the broker gets the request when it is released. */
  | 'held-request'

export interface Strike {
  /** Resolves when a request has met it: with `lost-answer` and `cut-answer` the broker has answered. */
  readonly struck: Promise<void>
  /** Lets go what is late or held. */
  release(): void
}

export interface KafkaProxy {
  /** The broker behind it. Its address is the proxy's. */
  readonly broker: KafkaBroker
  readonly address: string
  /** For the next request of this kind. */
  strike(api: Api, fate: Fate): Strike
  /** Every request of this kind is changed on its way, until the result is called. */
  rewrite(api: Api, change: (request: Buffer) => Buffer): () => void
  /** Each request is so late, and each answer. */
  delayMs: number
  /** Cuts all connections of now. */
  cutAll(): void
  dispose(): Promise<void>
}

interface Order {
  readonly api: Api
  readonly fate: Fate
  readonly struck: () => void
  readonly released: Promise<void>
}

export async function startProxiedBroker(settings: Readonly<Record<string, string>> = {}): Promise<KafkaProxy> {
  const orders: Order[] = []
  const rewrites = new Map<Api, (request: Buffer) => Buffer>()
  const sockets = new Set<Socket>()
  let brokerPort = 0
  const proxy = { delayMs: 0 }

  const server = createServer((client) => {
    const upstream = connect(brokerPort, '127.0.0.1')
    const cut = () => {
      client.destroy()
      upstream.destroy()
    }
    /** By correlation: what becomes of the answer. */
    const answers = new Map<number, Order>()
    for (const socket of [client, upstream]) {
      sockets.add(socket.setNoDelay(true))
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    upstream.on('close', () => client.destroy())
    let isLate = false
    // What is late still goes to the broker when its client has gone.
    client.on('close', () => isLate || upstream.destroy())

    inFrames(client, async (frame) => {
      await pause(proxy.delayMs)
      const api = frame.readInt16BE(4)
      const rewritten = [...rewrites].find(([name]) => apis[name] === api)?.[1](frame) ?? frame
      const at = orders.findIndex((order) => apis[order.api] === api)
      const [order] = at < 0 ? [] : orders.splice(at, 1)
      switch (order?.fate) {
        case 'lost-request':
          cut()
          return order.struck()
        case 'cut-request':
          upstream.write(rewritten.subarray(0, Math.ceil(rewritten.length / 2)), cut)
          return order.struck()
        case 'lost-answer':
        case 'cut-answer':
          answers.set(frame.readInt32BE(8), order)
          break
        case 'late-request':
          isLate = true
          client.destroy()
          order.struck()
          await order.released
          upstream.write(rewritten)
          return
        case 'held-request':
          order.struck()
          await order.released
          break
        case undefined:
      }
      upstream.write(rewritten)
    })
    inFrames(upstream, async (frame) => {
      await pause(proxy.delayMs)
      const order = answers.get(frame.readInt32BE(4))
      if (order === undefined) client.write(frame)
      else {
        if (order.fate === 'cut-answer') client.write(frame.subarray(0, Math.ceil(frame.length / 2)), cut)
        else cut()
        order.struck()
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('a TCP server has a port')
  const address = `127.0.0.1:${bound.port}`
  const broker = await startBroker({ ...settings, 'advertised.listeners': `PLAINTEXT://${address}` })
  brokerPort = Number(broker.address.split(':')[1])

  return Object.assign(proxy, {
    broker,
    address,
    strike(api: Api, fate: Fate): Strike {
      const struck = Promise.withResolvers<void>()
      const released = Promise.withResolvers<void>()
      orders.push({ api, fate, struck: struck.resolve, released: released.promise })
      return { struck: struck.promise, release: released.resolve }
    },
    rewrite(api: Api, change: (request: Buffer) => Buffer) {
      rewrites.set(api, change)
      return () => void rewrites.delete(api)
    },
    cutAll() {
      for (const socket of sockets) socket.destroy()
    },
    async dispose() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await broker.dispose()
    },
  })
}

/** Hands over whole frames, one after the other. */
function inFrames(socket: Socket, take: (frame: Buffer) => Promise<void>): void {
  let buffered: Buffer = Buffer.alloc(0)
  let taken = Promise.resolve()
  socket.on('data', (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk])
    while (buffered.length >= 4) {
      const end = 4 + buffered.readInt32BE(0)
      if (buffered.length < end) return
      const frame = buffered.subarray(0, end)
      buffered = buffered.subarray(end)
      taken = taken.then(() => take(frame))
    }
  })
}

const pause = (ms: number): Promise<void> | undefined =>
  ms === 0 ? undefined : new Promise((resolve) => setTimeout(resolve, ms))
