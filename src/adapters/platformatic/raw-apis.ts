// Produce and fetch with record batches as bytes: what is around them is the client's, what is in them is
// ../kafka/record-batch.ts. A broker's error codes are data here, not errors.
import { createAPI, fetchV13, produceV9, readKnownTaggedFields, Writer } from '@platformatic/kafka'
import type { API, Reader } from '@platformatic/kafka'
import type { FetchedPartition } from '../kafka/client.ts'

/** One batch of each partition. */
export interface ProduceTopic {
  readonly name: string
  readonly partitions: readonly { readonly partition: number; readonly bytes: Buffer }[]
}

export interface FetchAnswer {
  readonly errorCode: number
  readonly topics: readonly { readonly topicId: string; readonly partitions: readonly FetchedPartition[] }[]
}

const allReplicas = -1
const noBatches = Buffer.alloc(0)

export const produceBytes: {
  readonly api: API<[string | null, readonly ProduceTopic[], number], produceV9.ProduceResponse>
} = {
  api: createAPI(0, 9, produceRequest, produceV9.parseResponse),
}

export const fetchBytes: { readonly api: API<fetchV13.FetchRequest, FetchAnswer> } = {
  api: createAPI(1, 13, fetchV13.createRequest, (_correlationId, _apiKey, _apiVersion, reader) => fetchedIn(reader)),
}

function produceRequest(transactionalId: string | null, topics: readonly ProduceTopic[], timeoutMs: number): Writer {
  return Writer.create()
    .appendString(transactionalId)
    .appendInt16(allReplicas)
    .appendInt32(timeoutMs)
    .appendArray([...topics], (writer, { name, partitions }) => {
      writer.appendString(name).appendArray([...partitions], (each, { partition, bytes }) => {
        each
          .appendInt32(partition)
          .appendUnsignedVarInt(bytes.length + 1)
          .append(bytes)
      })
    })
    .appendTaggedFields()
}

/** Fetch response, version 13: https://kafka.apache.org/protocol#The_Messages_Fetch */
function fetchedIn(reader: Reader): FetchAnswer {
  reader.readInt32() // throttled for so long
  const errorCode = reader.readInt16()
  reader.readInt32() // session
  const topics = reader.readArray((ofTopic) => ({
    topicId: ofTopic.readUUID(),
    partitions: ofTopic.readArray(partitionIn, true, false),
  }))
  readKnownTaggedFields(reader, {})
  return { errorCode, topics }
}

function partitionIn(reader: Reader): FetchedPartition {
  const partition = reader.readInt32()
  const errorCode = reader.readInt16()
  reader.readInt64() // high watermark
  const committedEnd = reader.readInt64()
  reader.readInt64() // log start
  const abortedTransactions =
    reader.readNullableArray((each) => ({ producerId: each.readInt64(), firstOffset: each.readInt64() })) ?? []
  reader.readInt32() // preferred replica
  const size = reader.readUnsignedVarInt() - 1
  const batches = size > 0 ? reader.buffer.slice(reader.position, reader.position + size) : noBatches
  reader.skip(Math.max(0, size))
  readKnownTaggedFields(reader, {})
  return { partition, errorCode, committedEnd, abortedTransactions, batches }
}
