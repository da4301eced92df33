// What a running worker can be asked about dead letters; a part of face.ts.
import type { Json } from '../../base/json.ts'

/** Where a record lies, and when it was written there. */
export interface RecordPlaceView {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** RFC 3339; null: its producer gave it a time that is none. */
  readonly timestamp: string | null
}

/** The topic and partition that a letter was redriven to. */
export interface RedriveView {
  /** RFC 3339 */
  readonly at: string
  readonly topic: string
  readonly partition: number
  /** Who had it done, where they said so. */
  readonly by?: string
}

export interface DeadLetterSummary {
  /** Of the dead-letter topic. */
  readonly partition: number
  readonly offset: number
  /** RFC 3339: when it came here. */
  readonly at: string
  /** "not-json", "input-invalid", … */
  readonly reason: string
  readonly message: string
  /** Those that could not use it. */
  readonly workflows: readonly string[]
  readonly source: RecordPlaceView
  /** Text where the bytes are UTF-8, else null with `keyBase64`. */
  readonly key: string | null
  readonly keyBase64?: string
  readonly bytes: { readonly key: number; readonly value: number; readonly headers: number }
  /** False: it was too large; its value and headers are at its place only. */
  readonly isKept: boolean
  /** How often it had been redriven before it died this time. */
  readonly redrivenTimes: number
  /** Absent: this letter was not redriven. */
  readonly redriven?: RedriveView
}

export interface DeadLetterView extends DeadLetterSummary {
  /** JSON where the bytes are JSON, text where they are UTF-8, else null with `valueBase64`. */
  readonly value: Json
  readonly valueBase64?: string
  /** Of the value, in hexadecimal digits. */
  readonly valueSha256: string
  /** The original's, in their order. Text where the bytes are UTF-8, else null with `valueBase64`. */
  readonly headers: readonly { readonly key: string; readonly value: string | null; readonly valueBase64?: string }[]
  /** Where it lay before it was redriven for the first time. */
  readonly first?: RecordPlaceView
}

export interface DeadLetterFilter {
  readonly reason?: string
  /** The topic that it came from. */
  readonly topic?: string
  readonly workflow?: string
  /** That came here at this time or later, and before this one: milliseconds since 1970. */
  readonly sinceMs?: number
  readonly untilMs?: number
}

export interface DeadLetterQuery extends DeadLetterFilter {
  /** Only those that were not redriven. */
  readonly pending?: boolean
  /** At most; 1 to 1,000. */
  readonly limit: number
  /** `next` of the page before. */
  readonly cursor?: string
}

export interface RedriveOptions {
  /** Another topic than the one it came from. */
  readonly toTopic?: string
  /** Also where it was redriven already. */
  readonly again?: boolean
  /** Who has it done: "ann". */
  readonly by?: string
}

export type RedriveRefusalCode = 'dead-letter-not-found' | 'not-kept' | 'topic-reserved' | 'redrive-refused'

export interface RedriveRefusal {
  readonly code: RedriveRefusalCode
  readonly message: string
}

export interface RedrivenTo {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export type RedriveAnswer =
  | { readonly outcome: 'redriven'; readonly to: RedrivenTo }
  | { readonly outcome: 'already-redriven'; readonly redriven: RedriveView }
  | ({ readonly outcome: 'refused' } & RedriveRefusal)

export interface RedriveManyRequest extends DeadLetterFilter, RedriveOptions {
  /** Nothing is produced: what would be is told. */
  readonly isDryRun?: boolean
  /** Letters at most; 1 to 1,000. */
  readonly limit: number
  /** `next` of the answer before. */
  readonly cursor?: string
}

/** What became of a letter; pending: it would be redriven. */
export type RedriveResult = {
  readonly partition: number
  readonly offset: number
  readonly source: RecordPlaceView
} & (
  | { readonly outcome: 'redriven'; readonly to: RedrivenTo }
  | { readonly outcome: 'pending' }
  | ({ readonly outcome: 'failed' } & RedriveRefusal)
)

export interface RedriveManyAnswer {
  readonly redriven: number
  readonly failed: number
  /** Fit the filter, and were passed over. */
  readonly alreadyRedriven: number
  /** What was redriven, failed or is pending, in its order. */
  readonly results: readonly RedriveResult[]
  /** Why it did not come to its end: the same call with `next` goes on, and redrives nothing twice. */
  readonly stopped?: { readonly code: 'outcome-unknown' | 'not-ready'; readonly message: string }
  /** There may be more: the cursor of the next call. */
  readonly next?: string
}

/** Every method may throw TransientFault (nothing was done), and those that redrive OutcomeUnknown: they may be asked again. */
export interface DeadLettersFace {
  /** Newest first. */
  list(query: DeadLetterQuery): Promise<{ readonly items: readonly DeadLetterSummary[]; readonly next?: string }>
  /** undefined: there is no letter. */
  find(partition: number, offset: number): Promise<DeadLetterView | undefined>
  /**
   * Produces the original to the topic and partition it came from. A letter is redriven once, however often and at whatever
   * workers that is asked, unless `again` says otherwise. It is offered to the workflows that could not use it.
   */
  redrive(partition: number, offset: number, options: RedriveOptions): Promise<RedriveAnswer>
  /** Partition by partition, the oldest first; what comes after the first call is not redriven. */
  redriveMany(request: RedriveManyRequest): Promise<RedriveManyAnswer>
}
