// The layout of starts that wait for the instance of their key to end. A call never travels, and so is written here; the
// others are written as they travel.
import { StoreCorrupted } from '../base/errors.ts'
import type { InstanceStart } from '../engine/command.ts'
import { Payload } from '../engine/payload.ts'
import type { QueuedRow } from '../engine/state.ts'
import { bytes, optional, text } from './fields.ts'
import { decodeInbox, encodeInbox } from './inbox-codec.ts'
import { codec } from './row-codec.ts'

export const queuedCodec = codec<QueuedRow>(
  1,
  ({ start }) => fieldsOf(start),
  (fields) => ({ start: startOf(fields) }),
)

function fieldsOf(start: InstanceStart): readonly unknown[] {
  const { workflow, version, key, origin } = start
  if (origin.kind !== 'api') return [0, encodeInbox(start)]
  return [1, workflow, version, key, origin.input.bytes, origin.idempotencyKey ?? null, origin.by ?? null]
}

function startOf(fields: readonly unknown[]): InstanceStart {
  switch (fields[0]) {
    case 0: {
      const start = decodeInbox(bytes(fields[1]))
      if (start.type === 'instance.start') return start
      throw new StoreCorrupted(`a ${start.type} waits where only starts do`)
    }
    case 1:
      return {
        type: 'instance.start',
        workflow: text(fields[1]),
        version: text(fields[2]),
        key: text(fields[3]),
        origin: {
          kind: 'api',
          input: Payload.ofBytes(bytes(fields[4])),
          idempotencyKey: optional(text)(fields[5]),
          call: undefined,
          by: optional(text)(fields[6]),
        },
      }
    default:
      throw new StoreCorrupted('a start waits that there is not')
  }
}
