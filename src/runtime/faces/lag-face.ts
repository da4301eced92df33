// What can be asked about how far behind a worker is.

/** How far the partitions that run here are behind in a topic. */
export interface TopicLag {
  readonly topic: string
  /** Records that are committed and not read yet. */
  readonly records: number
  /** How long ago the oldest of them was written; absent where none is at hand. */
  readonly oldestAgeMs?: number
}

/** What one partition has yet to read in one source: a partition of a topic, or of the inbox. */
export interface SourceLag {
  readonly topic: string
  readonly partition: number
  readonly isInbox: boolean
  readonly records: number
  /** When the oldest of them was written, where it is at hand. */
  readonly sinceMs: number | undefined
}
