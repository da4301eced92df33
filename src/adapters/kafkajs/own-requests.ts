// Requests that kafkajs does not speak, or not as they are needed: written with its encoder, sent over its connections.
//   Metadata 10: it has no version with the ids of topics, and takes no topics for all topics.
//   InitProducerId 3: it has no version that raises the epoch of one's own id and nobody else's.
//   Produce and Fetch: with batches as bytes. It makes objects of each record, knows only gzip, and the error of one
//   partition hides the others' answers.
// From version to version of the "flexible" kind lengths are varints, and structures end with tagged fields.
import type { Appended, Fetched, FetchBounds, FetchPosition, HeldId, Metadata, PlacedBatch } from '../kafka/client.ts'
import { byTopic } from '../kafka/by-topic.ts'
import { apiKeys, exchangeOf, newDecoder, newEncoder } from './internals.ts'
import type { Decoder, Encoder, Exchange, Versions } from './internals.ts'

const noTags = 0
const noBatches = Buffer.alloc(0)
const allReplicas = -1
const idBytes = 16

function exchange(api: string, apiVersion: number, encoded: Encoder, decode: (bytes: Buffer) => unknown): Exchange {
  return {
    request: { apiKey: apiKeys[api]!, apiName: api, apiVersion, encode: async () => encoded },
    response: { decode: async (bytes) => decode(bytes) },
  }
}

const highestOf = (versions: Versions, api: string): number => versions[apiKeys[api]!]?.maxVersion ?? 0

/** The newest versions of these that are asked for in just one. */
const metadataVersion = 10
const initProducerIdVersion = 3

/** What a broker has to be for these requests. */
export const isSpokenBy = (versions: Versions): boolean =>
  highestOf(versions, 'Metadata') >= metadataVersion && highestOf(versions, 'InitProducerId') >= initProducerIdVersion

export function metadata(names: readonly string[] | null): Exchange {
  const encoder = newEncoder().writeInt8(noTags) // of the request's head
  encoder.writeUVarInt(names === null ? 0 : names.length + 1)
  for (const name of names ?? []) {
    for (let byte = 0; byte < idBytes; byte++) encoder.writeInt8(0)
    encoder.writeUVarIntString(name).writeUVarInt(noTags)
  }
  encoder.writeBoolean(false).writeBoolean(false).writeBoolean(false).writeUVarInt(noTags)
  return exchange('Metadata', metadataVersion, encoder, metadataIn)
}

function metadataIn(bytes: Buffer): Metadata {
  const decoder = newDecoder(bytes)
  decoder.readTaggedFields() // of the answer's head
  decoder.readInt32() // throttled for so long
  const brokers = listIn(decoder, (each) => {
    const broker = { id: each.readInt32(), host: each.readUVarIntString()!, port: each.readInt32() }
    each.readUVarIntString() // rack
    each.readTaggedFields()
    return broker
  })
  decoder.readUVarIntString() // cluster
  const controllerId = decoder.readInt32()
  const topics = listIn(decoder, (each) => {
    const errorCode = each.readInt16()
    const name = each.readUVarIntString() ?? ''
    const id = uuidOf(each.readBytes(idBytes)!)
    const isInternal = each.readBoolean()
    const partitions = listIn(each, partitionIn)
    each.readInt32() // what we may do with it
    each.readTaggedFields()
    return { errorCode, name, id, isInternal, partitions }
  })
  return { brokers, controllerId, topics }
}

/** As every client has to write it: it is kept in stores and positions, and workers of both share them. */
const uuidOf = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

function partitionIn(decoder: Decoder) {
  decoder.readInt16() // a partition without a leader says so by its leader
  const [partition, leader] = [decoder.readInt32(), decoder.readInt32()]
  decoder.readInt32() // its epoch
  const [all] = [0, 1, 2].map(() => listIn(decoder, (each) => each.readInt32())) // replicas: all, in sync, offline
  decoder.readTaggedFields()
  return { partition, leader, replicas: all!.length }
}

const listIn = <Item>(decoder: Decoder, read: (decoder: Decoder) => Item): Item[] =>
  decoder.readUVarIntArray(read) ?? []

export function initProducerId(transactionalId: string, timeoutMs: number, held: HeldId | undefined): Exchange {
  const { producerId, producerEpoch } = held ?? { producerId: -1n, producerEpoch: -1 }
  const encoder = newEncoder().writeInt8(noTags).writeUVarIntString(transactionalId).writeInt32(timeoutMs)
  encoder.writeInt64(producerId).writeInt16(producerEpoch).writeUVarInt(noTags)
  return exchange('InitProducerId', initProducerIdVersion, encoder, (bytes) => {
    const decoder = newDecoder(bytes)
    decoder.readTaggedFields()
    decoder.readInt32()
    return { errorCode: decoder.readInt16(), producerId: decoder.readInt64(), producerEpoch: decoder.readInt16() }
  })
}

export function produce(
  versions: Versions,
  transactionalId: string | null,
  batches: readonly PlacedBatch[],
  timeoutMs: number,
): Exchange {
  const version = Math.min(8, highestOf(versions, 'Produce'))
  const topics = byTopic(batches).map(({ name, partitions }) =>
    newEncoder()
      .writeString(name)
      .writeArray(partitions.map(({ partition, bytes }) => newEncoder().writeInt32(partition).writeBytes(bytes))),
  )
  const encoder = newEncoder().writeString(transactionalId).writeInt16(allReplicas).writeInt32(timeoutMs)
  return exchange('Produce', version, encoder.writeArray(topics), (bytes) => appendedIn(newDecoder(bytes), version))
}

function appendedIn(decoder: Decoder, version: number): readonly Appended[] {
  return decoder
    .readArray((ofTopic) => {
      const topic = ofTopic.readString()!
      return ofTopic.readArray((each) => {
        const [partition, errorCode, baseOffset] = [each.readInt32(), each.readInt16(), Number(each.readInt64())]
        each.readInt64() // when it was appended
        if (version >= 5) each.readInt64() // where the log begins
        let record: number | undefined
        if (version >= 8) {
          const refused = each.readArray((one) => ({ at: one.readInt32(), why: one.readString() }))
          each.readString() // why, in words
          record = refused[0]?.at
        }
        return { topic, partition, errorCode, baseOffset, record }
      })
    })
    .flat()
}

export function fetch(
  versions: Versions,
  positions: readonly FetchPosition[],
  { waitMs, bytesMax, partitionBytesMax }: FetchBounds,
): Exchange {
  const topics = byTopic(positions).map(({ name, partitions }) => ({
    topic: name,
    partitions: partitions.map(({ partition, offset }) => ({
      partition,
      fetchOffset: offset,
      maxBytes: partitionBytesMax,
    })),
  }))
  const bounds = { maxWaitTime: waitMs, minBytes: 1, maxBytes: bytesMax, isolationLevel: 1 }
  const { request } = exchangeOf(versions, 'Fetch', { topics, ...bounds })
  const ids = new Map(positions.map(({ topic, topicId }) => [topic, topicId]))
  const decode = async (bytes: Buffer) => fetchedIn(newDecoder(bytes), request.apiVersion, ids)
  return { request, response: { decode } }
}

function fetchedIn(decoder: Decoder, version: number, ids: ReadonlyMap<string, string>): Fetched {
  decoder.readInt32() // throttled for so long
  const errorCode = version >= 7 ? decoder.readInt16() : 0
  if (version >= 7) decoder.readInt32() // session
  const topics = decoder.readArray((ofTopic) => {
    const topicId = ids.get(ofTopic.readString()!) ?? ''
    return ofTopic.readArray((each) => {
      const [partition, partitionError] = [each.readInt32(), each.readInt16()]
      each.readInt64() // high watermark
      const committedEnd = each.readInt64()
      if (version >= 5) each.readInt64() // where the log begins
      const abortedTransactions = each.readArray((one) => ({
        producerId: one.readInt64(),
        firstOffset: one.readInt64(),
      }))
      if (version >= 11) each.readInt32() // preferred replica
      const batches = each.readBytes() ?? noBatches
      return { topicId, partition, errorCode: partitionError, committedEnd, abortedTransactions, batches }
    })
  })
  return { errorCode, partitions: topics.flat() }
}
