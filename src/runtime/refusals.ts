// What becomes of a record that the log refuses (design 4.5). Its transaction was aborted, so nothing is lost whatever is
// decided here:
//
//   a command's                                      its task is told when the same inputs are decided again
//   one of the application's own topics is at fault  no input is to blame, and none is set aside for it: an operator has
//                                                    to put the topic or the rights right, and until then it is tried again
//   anything else                                    whoever brought it is looked at alone
import type { RecordRefused, TaskError } from '../base/errors.ts'
import { workId } from '../engine/state.ts'
import type { Batch } from './batch.ts'

const ofTopics: ReadonlySet<string> = new Set(['unknown-topic', 'not-authorised'])

export class Refusals {
  /** By instance, task and attempt, until their batch is committed. */
  readonly #errors = new Map<string, TaskError>()

  find(instanceId: string, task: number, attempt: number): TaskError | undefined {
    return this.#errors.get(`${workId(instanceId, task)}/${attempt}`)
  }

  /** Remembers what a command has to be told. `isolate` also for one that was told and did not mind. */
  judge(batch: Batch, error: RecordRefused): 'decide-again' | 'wait' | 'isolate' {
    const outgoing = batch.outgoingAt(error.index)
    if (outgoing?.type !== 'command') return ofTopics.has(error.reason) ? 'wait' : 'isolate'
    const key = `${workId(outgoing.instanceId, outgoing.task)}/${outgoing.attempt}`
    if (this.#errors.has(key)) return 'isolate'
    this.#errors.set(key, {
      code: 'produce-rejected',
      message: `${outgoing.topic} refused the record: ${error.message}`,
    })
    return 'decide-again'
  }

  clear(): void {
    this.#errors.clear()
  }
}
