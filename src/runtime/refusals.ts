// What becomes of a record that the log refuses (design 4.5). Its transaction was aborted, so nothing is lost whatever is
// decided here:
//
//   a command's                                      its task is told when the same inputs are decided again
//   one of the application's own topics is at fault  no input is to blame, and none is set aside for it: an operator has
//                                                    to put the topic or the rights right, and until then it is tried again
//   an update                                        the same inputs are decided again without: nothing that is told to
//                                                    others holds up what it tells of. For half a minute none is written
//   anything else                                    whoever brought it is looked at alone
import type { RecordRefused, TaskError } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { AppTopics } from '../records/keys.ts'
import { workId } from '../engine/state.ts'
import type { Batch } from './batch.ts'

const ofTopics: ReadonlySet<string> = new Set(['unknown-topic', 'not-authorised'])

interface RefusalsOptions {
  readonly topics: Pick<AppTopics, 'updates'>
  readonly partition: number
  readonly onAlarm: (message: string) => void
}

export class Refusals {
  readonly #options: RefusalsOptions
  /** By instance, task and attempt, until their batch is committed. */
  readonly #errors = new Map<string, TaskError>()

  #withoutUpdatesUntilMs = 0

  constructor(options: RefusalsOptions) {
    this.#options = options
  }

  /** True for a while after an update was refused. */
  holdsUpdatesBack(nowMs: number): boolean {
    return nowMs < this.#withoutUpdatesUntilMs
  }

  find(instanceId: string, task: number, attempt: number): TaskError | undefined {
    if (this.#errors.size === 0) return undefined
    return this.#errors.get(`${workId(instanceId, task)}/${attempt}`)
  }

  /** Remembers what a command has to be told. `isolate` also for one that was told and did not mind. */
  judge(batch: Batch, error: RecordRefused, nowMs: number): 'decide-again' | 'wait' | 'isolate' {
    if (batch.isUpdate(error.index)) {
      this.#holdUpdatesBack(error, nowMs)
      return 'decide-again'
    }
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

  #holdUpdatesBack({ reason, message }: RecordRefused, nowMs: number): void {
    const { topics, partition, onAlarm } = this.#options
    this.#withoutUpdatesUntilMs = nowMs + limits.updatesHeldBackMs
    onAlarm(
      `${topics.updates} takes no updates of partition ${partition} (${reason}: ${message}): those of the next ${limits.updatesHeldBackMs / 1_000} seconds are missing there. Put the topic, or the worker's right to write it, right.`,
    )
  }

  clear(): void {
    this.#errors.clear()
  }
}
