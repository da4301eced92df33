// Topics and their records, as the worker's face has them.
import type { Json } from '../../base/json.ts'

export interface ProduceRecord {
  readonly key?: string | Uint8Array | null
  /** null is a tombstone. */
  readonly value: Uint8Array | null
  readonly partition?: number
  readonly headers?: readonly { readonly key: string; readonly value: Uint8Array }[]
}

export type ProduceResult =
  | { readonly partition: number; readonly offset: number }
  | { readonly error: string; readonly message: string }

export interface TopicView {
  readonly name: string
  readonly partitions: readonly { readonly partition: number; readonly earliest: number; readonly end: number }[]
}

/** A topic that an application needs, as it is now. */
export interface NeededTopic {
  readonly name: string
  readonly partitions: number
  /** It was missing. */
  readonly isNew: boolean
}

/** Something that is not as it should be. */
export interface TopicDifference {
  /** "partitions", or Kafka's name of the setting: "cleanup.policy". */
  readonly what: string
  readonly wanted: string
  readonly found: string
  /** What to do about it, in a sentence or as a command. */
  readonly cure: string
}

/** A topic that an application needs, and what of it is not as it should be. */
export interface InspectedTopic {
  readonly name: string
  /** The application keeps it for itself; else it is of its workflows. */
  readonly isOwn: boolean
  readonly exists: boolean
  readonly partitions?: number
  readonly replicas?: number
  /** Absent, as the next: it may not be read. */
  readonly cleanupPolicy?: string
  readonly maxMessageBytes?: number
  readonly differences: readonly TopicDifference[]
}

export interface RecordView {
  readonly partition: number
  readonly offset: number
  readonly timestamp: string
  /** Text where the bytes are UTF-8, else null with `keyBase64`. */
  readonly key: string | null
  readonly keyBase64?: string
  /** JSON where the bytes are JSON, text where they are UTF-8, else null with `valueBase64`. */
  readonly value: Json
  readonly valueBase64?: string
  readonly headers: { readonly [key: string]: string }
}

export interface ConsumeRequest {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly limit: number
  readonly waitMs: number
}

/** Topics of the log. Every method may throw Unavailable. */
export interface TopicsFace {
  /** Each record is a transaction of its own in the answer, all are durable when it resolves. undefined: no such topic. */
  produce(topic: string, records: readonly ProduceRecord[]): Promise<readonly ProduceResult[] | undefined>
  list(): Promise<readonly TopicView[]>
  /** Records of one partition from an offset on, waiting up to `waitMs` for the first. undefined: no such topic or partition. */
  consume(
    request: ConsumeRequest,
  ): Promise<{ readonly records: readonly RecordView[]; readonly nextOffset: number } | undefined>
}
