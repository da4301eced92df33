// Letters as they are shown, and which of them a filter wants.
import { readLetter, type Letter } from '../../records/dead-letter.ts'
import type {
  DeadLetterFilter,
  DeadLetterSummary,
  DeadLetterView,
  RecordPlaceView,
  RedriveView,
} from '../faces/dead-letter-face.ts'
import type { LogRecord } from '../ports.ts'
import { toBase64 } from '../../base/base64.ts'
import { keyView, textOf, timeView, valueView } from '../record-view.ts'

/** Whether a letter in this record of the dead-letter topic is wanted. */
export function fits(letter: Letter, { timestampMs }: LogRecord, filter: DeadLetterFilter): boolean {
  const { reason, topic, workflow, sinceMs = -Infinity, untilMs = Infinity } = filter
  return (
    (reason === undefined || letter.reason === reason) &&
    (topic === undefined || letter.source.topic === topic) &&
    (workflow === undefined || letter.workflows.includes(workflow)) &&
    timestampMs >= sinceMs &&
    timestampMs < untilMs
  )
}

export function summaryOf(letter: Letter, record: LogRecord, redriven: RedriveView | undefined): DeadLetterSummary {
  const { reason, message, workflows, bytes, isKept, redrivenTimes } = letter
  return {
    partition: record.partition,
    offset: record.offset,
    at: timeView(record.timestampMs) ?? '',
    reason,
    message,
    workflows,
    source: placeView(letter.source),
    ...keyView(letter.key),
    bytes,
    isKept,
    redrivenTimes,
    ...(redriven === undefined ? {} : { redriven }),
  }
}

/** Everything there is about the letter in a record; undefined: there is none in it. */
export function viewOf(record: LogRecord, redriven: RedriveView | undefined): DeadLetterView | undefined {
  const letter = readLetter(record)
  if (letter === undefined) return undefined
  return {
    ...summaryOf(letter, record, redriven),
    ...valueView(letter.value),
    valueSha256: letter.valueSha256,
    headers: letter.headers.map(({ key, value }) => {
      const text = textOf(value)
      return text === undefined ? { key, value: null, valueBase64: toBase64(value) } : { key, value: text }
    }),
    ...(letter.first === undefined ? {} : { first: placeView(letter.first) }),
  }
}

export function placeView({ topic, partition, offset, timestampMs }: Letter['source']): RecordPlaceView {
  return { topic, partition, offset, timestamp: timeView(timestampMs) }
}
