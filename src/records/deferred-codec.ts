// The layout of commands that wait for their instance to be resumed. One number a command type; those that travel as well
// are written as they travel.
import { StoreCorrupted } from '../base/errors.ts'
import type { Deferrable } from '../engine/command.ts'
import { Payload } from '../engine/payload.ts'
import type { DeferredRow } from '../engine/state.ts'
import { bytes, flag, number, optional, text } from './fields.ts'
import { decodeInbox, encodeInbox } from './inbox-codec.ts'
import { codec } from './row-codec.ts'

export const deferredCodec = codec<DeferredRow>(
  1,
  ({ command }) => fieldsOf(command),
  (fields) => ({ command: commandOf(fields) }),
)

function fieldsOf(command: Deferrable): readonly unknown[] {
  switch (command.type) {
    case 'task.complete':
      return [0, command.instanceId, command.task, command.attempt, command.output.bytes]
    case 'task.fail': {
      const { instanceId, task, attempt, error, isRetryable, afterMs } = command
      return [1, instanceId, task, attempt, error.code, error.message, isRetryable, afterMs ?? null]
    }
    case 'timer.fire':
      return [2, command.timer]
    case 'instance.correlate':
    case 'child.told':
      return [3, encodeInbox(command)]
  }
}

function commandOf(fields: readonly unknown[]): Deferrable {
  switch (fields[0]) {
    case 0:
      return {
        type: 'task.complete',
        instanceId: text(fields[1]),
        task: number(fields[2]),
        attempt: number(fields[3]),
        output: Payload.ofBytes(bytes(fields[4])),
      }
    case 1:
      return {
        type: 'task.fail',
        instanceId: text(fields[1]),
        task: number(fields[2]),
        attempt: number(fields[3]),
        error: { code: text(fields[4]), message: text(fields[5]) },
        isRetryable: flag(fields[6]),
        afterMs: optional(number)(fields[7]),
      }
    case 2:
      return { type: 'timer.fire', timer: text(fields[1]) }
    case 3: {
      const command = decodeInbox(bytes(fields[1]))
      if (command.type === 'instance.correlate' || command.type === 'child.told') return command
      throw new StoreCorrupted(`a ${command.type} does not wait for its instance`)
    }
    default:
      throw new StoreCorrupted('a command waits for its instance that there is not')
  }
}
