// What a listener takes, by its definition, and what instances say that they took.
import type { Task, Workflow } from '../../../src/definition/workflow.ts'
import { canonicalText } from '../../../src/engine/correlation.ts'
import { taskAt } from '../../../src/engine/nodes.ts'
import { messageOf, type SourceRecord } from '../../../src/engine/message.ts'
import type { InstanceRow, TimelineRow, Waiter } from '../../../src/engine/state.ts'
import type { Life } from '../committed.ts'
import type { Evidence } from './finished.ts'
import { lastMomentOf } from './nodes.ts'

/** A record that a listener took. */
export interface Taking {
  readonly life: Life<InstanceRow>
  /** The listener, for people. */
  readonly name: string
  /** What the history tells; nothing of a record after which a listener went on listening. */
  readonly entry: TimelineRow | undefined
  /** "orders/3@17" */
  readonly place: string
  /** It was there before the listener. */
  readonly wasKept: boolean
}

/**
 * All that instances took, in the order of each of them. Listeners with `until` put down what they take in a variable
 * (programs/listening.ts).
 */
export function* takingsOf(run: Pick<Evidence, 'committed' | 'instances' | 'workflows'>): Generator<Taking> {
  for (const life of run.instances) {
    const moment = lastMomentOf(run, life)
    const heard = life.last.vars.get('heard')
    for (const each of Array.isArray(heard) ? heard : []) {
      const [name = '', place = ''] = String(each).split(' ')
      yield { life, name, entry: undefined, place, wasKept: false }
    }
    for (const entry of life.last.timeline) {
      const found = entry.status === 'COMPLETED' ? /^(?:early )?(kept )?record (.+)$/s.exec(entry.note ?? '') : null
      if (moment === undefined || found?.[2] === undefined) continue
      const task = moment.task(entry.task)
      if (task.type === 'kafka-listener' && task.until !== undefined) continue
      yield { life, name: moment.name(entry.task), entry, place: found[2], wasKept: found[1] !== undefined }
    }
  }
}

/** Whether the definition of a waiter's task takes the record: all pairs are equal, and `where` holds. */
export function fits({ workflows }: Evidence, waiter: Waiter, value: string, record: SourceRecord): boolean {
  const task = taskOf(workflows.get(waiter.version), waiter.task)
  if (task?.type !== 'kafka-listener') return false
  const expected = [value, ...waiter.others]
  try {
    const message = messageOf(record)
    return (
      task.correlate.every((pair, at) => canonicalText(pair.message.evaluate({ message })) === expected[at]) &&
      (task.where === undefined || task.where.evaluate({ message }) === true)
    )
  } catch {
    return false
  }
}

/** A listener takes what came before it within its own `keep` only. */
export function isTooOld({ workflows }: Evidence, waiter: Waiter, arrivedAtMs: number): boolean {
  const task = taskOf(workflows.get(waiter.version), waiter.task)
  return task?.type === 'kafka-listener' && waiter.sinceMs > arrivedAtMs + task.keepMs
}

/**
 * True where the instance may not tell of all that it took: a listener failed for another reason than that nothing came, or
 * its history has grown so long that the oldest entries went.
 */
export function mayHideTakings({ workflows }: Evidence, row: InstanceRow): boolean {
  if (row.timelineDropped > 0) return true
  return row.timeline.some(
    ({ task, status, note }) =>
      taskOf(workflows.get(row.version), task)?.type === 'kafka-listener' &&
      status !== 'COMPLETED' &&
      note !== undefined &&
      /^(retry after )?[a-z-]+: /.test(note) &&
      !/^(when|(retry after )?timeout|max-duration): /.test(note),
  )
}

const taskOf = (workflow: Workflow | undefined, node: number): Task | undefined =>
  workflow === undefined || node === -1 ? undefined : taskAt(workflow, node)
