// A record in the dead-letter topic: the original's key, bytes and headers, with the reason and the place it came
// from in headers of our own. One that would be too large keeps its hash instead of its bytes.
import { createHash } from 'node:crypto'
import { limits } from '../base/limits.ts'
import type { DeadLetter } from '../engine/effect.ts'
import { coordinates } from '../engine/message.ts'

const encoder = new TextEncoder()
/** Room for topic names, framing and our own headers. */
const envelopeBytes = 8_192

interface DeadLetterRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array }[]
}

export function deadLetterRecord({ record, code, message, workflow }: DeadLetter): DeadLetterRecord {
  const own: [string, string][] = [
    ['dw-reason', code],
    ['dw-message', message.slice(0, 4_000)],
    ['dw-source', coordinates(record)],
    ['dw-timestamp', String(record.timestampMs)],
  ]
  if (workflow !== undefined) own.push(['dw-workflow', workflow])
  const originalBytes =
    (record.key?.length ?? 0) +
    (record.value?.length ?? 0) +
    record.headers.reduce((sum, header) => sum + header.key.length + header.value.length, 0)
  const isTooLarge = originalBytes + envelopeBytes > limits.recordBytesMax
  if (isTooLarge) {
    own.push(['dw-value-bytes', String(record.value?.length ?? 0)])
    own.push([
      'dw-value-sha256',
      createHash('sha256')
        .update(record.value ?? new Uint8Array())
        .digest('hex'),
    ])
  }
  return {
    key: isTooLarge && (record.key?.length ?? 0) > envelopeBytes ? null : record.key,
    value: isTooLarge ? null : record.value,
    headers: [
      ...(isTooLarge ? [] : record.headers),
      ...own.map(([key, value]) => ({ key, value: encoder.encode(value) })),
    ],
  }
}
