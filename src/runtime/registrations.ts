// Where reading begins in topics that were never read: at their ends of now, or at their starts, as the workflows say.
import type { Workflow } from '../definition/workflow.ts'
import type { Registration, WorkflowCatalogue } from './catalogue.ts'
import type { Log } from './ports.ts'

export interface FoundRegistrations {
  /** Of the topics that are there and were not registered in this creation. */
  readonly fresh: readonly (readonly [string, Registration])[]
  /** Topics that are read and are not there. */
  readonly missing: readonly string[]
}

/** Looks at the topics that workflows read. */
export async function findRegistrations(
  log: Log,
  catalogue: WorkflowCatalogue,
  workflows: readonly Workflow[],
): Promise<FoundRegistrations> {
  const from = new Map<string, 'latest' | 'earliest'>()
  for (const workflow of workflows) {
    const reads = [...workflow.start, ...workflow.tasks.filter((task) => task.type === 'kafka-listener')]
    for (const each of reads) if (from.get(each.topic) !== 'earliest') from.set(each.topic, each.from)
  }
  const found = await log.describeTopics([...from.keys()])
  const fresh: (readonly [string, Registration])[] = []
  const missing: string[] = []
  for (const [topic, where] of from) {
    const info = found.get(topic)
    if (info === undefined) missing.push(topic)
    else if (catalogue.registration(topic)?.topicId !== info.id) {
      const ends: number[] = []
      for (let partition = 0; partition < info.partitions; partition++)
        ends.push((await log.offsets(topic, partition)).end)
      fresh.push([topic, { topicId: info.id, from: where, ends }])
    }
  }
  return { fresh, missing }
}
