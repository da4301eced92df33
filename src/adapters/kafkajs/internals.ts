// What is used of kafkajs 2.2.4 beneath its public surface, which has neither types nor a promise to stay: its version is
// pinned. Its connections, its encoding of requests and its decoding of answers; nothing that asks again or decides.
import { createRequire } from 'node:module'
import type { ConnectionOptions } from 'node:tls'

export interface Encoder {
  writeInt8(value: number): Encoder
  writeInt16(value: number): Encoder
  writeInt32(value: number): Encoder
  writeInt64(value: bigint | number): Encoder
  writeBoolean(value: boolean): Encoder
  writeString(value: string | null): Encoder
  writeBytes(value: Buffer): Encoder
  writeArray(values: readonly Encoder[]): Encoder
  writeUVarInt(value: number): Encoder
  writeUVarIntString(value: string | null): Encoder
  writeEncoder(value: Encoder): Encoder
}

export interface Decoder {
  readonly buffer: Buffer
  readInt16(): number
  readInt32(): number
  readInt64(): bigint
  readBoolean(): boolean
  readString(): string | null
  /** null and nothing where there is none. */
  readBytes(length?: number): Buffer | null
  readArray<Item>(read: (decoder: Decoder) => Item): Item[]
  readUVarIntString(): string | null
  readUVarIntArray<Item>(read: (decoder: Decoder) => Item): Item[] | null
  readTaggedFields(): void
}

export interface Request {
  readonly apiKey: number
  readonly apiVersion: number
  readonly apiName: string
  encode(): Promise<Encoder>
}

export interface Response {
  decode(bytes: Buffer): Promise<unknown>
  /** Absent in those of our own: kafkajs throws errors of the broker in here. */
  parse?(answer: unknown): Promise<unknown>
}

export interface Exchange {
  readonly request: Request
  readonly response: Response
}

/** By API key: the versions that a broker speaks. */
export type Versions = Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>

export interface Definition {
  readonly versions: readonly string[]
  protocol(chosen: { readonly version: number }): (fields: object) => Exchange
}

export interface Logger {
  namespace(name: string): Logger
  error(message: string): void
  warn(message: string): void
  info(message: string): void
  debug(message: string): void
}

export interface Connection {
  readonly requestQueue: { readonly pending: readonly unknown[]; scheduleCheckPendingRequests(): void }
  connect(): Promise<unknown>
  disconnect(): Promise<unknown>
  isConnected(): boolean
  authenticate(): Promise<void>
  setVersions(versions: Versions): void
  setSupportAuthenticationProtocol(isSupported: boolean): void
  rejectRequests(error: Error): void
  send(exchange: Exchange & { readonly logResponseError: boolean }): Promise<unknown>
}

export interface ConnectionSettings {
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly connectionTimeout: number
  readonly requestTimeout: number
  readonly reauthenticationThreshold: number
  readonly logger: Logger
  readonly socketFactory: unknown
  readonly ssl: ConnectionOptions | null
  readonly sasl: object | null
}

const requireInternal = createRequire(import.meta.url)
const internal = (path: string): unknown => requireInternal(`kafkajs/src/${path}`)

export const newEncoder = (): Encoder => new EncoderClass()
export const newDecoder = (bytes: Buffer): Decoder => new DecoderClass(bytes)
export function newConnection(settings: ConnectionSettings): Connection {
  const connection = new ConnectionClass(settings)
  const { requestQueue } = connection
  const schedule = requestQueue.scheduleCheckPendingRequests.bind(requestQueue)
  // With nothing pending it sets a timer of minus the time since 1970 after each answer, and node complains of that.
  requestQueue.scheduleCheckPendingRequests = () => {
    if (requestQueue.pending.length > 0) schedule()
  }
  return connection
}

const EncoderClass = internal('protocol/encoder') as new () => Encoder
const DecoderClass = internal('protocol/decoder') as new (bytes: Buffer) => Decoder
const ConnectionClass = internal('network/connection') as new (settings: ConnectionSettings) => Connection
export const socketFactory = (internal('network/socketFactory') as () => unknown)()

const { requests, lookup } = internal('protocol/requests') as {
  readonly requests: Readonly<Record<string, Definition>>
  readonly lookup: (versions: Versions) => (apiKey: number, definition: Definition) => (fields: object) => Exchange
}
export const apiKeys = internal('protocol/requests/apiKeys') as Readonly<Record<string, number>>

/** The exchange of the highest version that both speak. */
export function exchangeOf(versions: Versions, api: string, fields: object): Exchange {
  return lookup(versions)(apiKeys[api]!, requests[api]!)(fields)
}

/** Before anything is known of a broker. */
export const askVersions = (): Exchange => requests['ApiVersions']!.protocol({ version: 2 })({})

export const { KafkaJSSASLAuthenticationError } = internal('errors') as {
  readonly KafkaJSSASLAuthenticationError: new (message: string) => Error
}
