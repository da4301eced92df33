// What a listener takes, by its definition, and what instances say that they took.
import type { Task, Workflow } from '../../../src/definition/workflow.ts'
import { canonicalText } from '../../../src/engine/correlation.ts'
import { taskAt } from '../../../src/engine/nodes.ts'
import { messageOf, type SourceRecord } from '../../../src/engine/message.ts'
import type { InstanceRow, TimelineRow, Waiter } from '../../../src/engine/state.ts'
import type { Life } from '../committed.ts'
import type { Evidence } from './finished.ts'

/** A record that a listener completed with. */
export interface Taking {
  readonly life: Life<InstanceRow>
  readonly entry: TimelineRow
  /** "orders/3@17" */
  readonly place: string
  /** It was there before the listener. */
  readonly wasKept: boolean
}

/** All that instances took, in the order of each of them. */
export function* takingsOf(instances: readonly Life<InstanceRow>[]): Generator<Taking> {
  for (const life of instances) {
    for (const entry of life.last.timeline) {
      const found = entry.status === 'COMPLETED' ? /^(kept )?record (.+)$/s.exec(entry.note ?? '') : null
      if (found?.[2] !== undefined) yield { life, entry, place: found[2], wasKept: found[1] !== undefined }
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

/** True where a listener of the instance failed for another reason than that nothing came: what it took is not told of. */
export function hasFailedListener({ workflows }: Evidence, row: InstanceRow): boolean {
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
