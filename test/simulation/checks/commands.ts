// I3: each command once in the committed output, and only those that the instances tell of. A command says which task
// of which instance it is of (programs.ts).
import type { TimelineRow } from '../../../src/engine/state.ts'
import { nameOf, type Evidence } from './finished.ts'
import { lastMomentsOf, type Moment } from './nodes.ts'

/** I3: a task that is COMPLETED has sent its command, once for each attempt of its scope; any other has not. */
export function* commandsOnce(run: Evidence): Generator<string> {
  const sent = new Map<string, number>()
  for (const topic of run.plan.programs.commandTopics) {
    for (const { value } of run.committed.history.all(topic)) {
      const { instance, task } = JSON.parse(Buffer.from(value ?? 'null').toString()) as {
        instance: string
        task: string
      }
      const id = `${instance}/${task}`
      sent.set(id, (sent.get(id) ?? 0) + 1)
    }
  }
  for (const moment of lastMomentsOf(run)) {
    const { row } = moment
    const completed = Map.groupBy(
      row.timeline.filter((each) => each.status === 'COMPLETED' && each.task !== -1),
      (each) => commandOf(moment, each),
    )
    const { nodes } = moment
    const own = nodes.flatMap(({ node, task }) => (task.type === 'kafka-command' ? [nameFor(moment, node)] : []))
    for (const name of new Set(own)) {
      const id = `${row.id}/${name}`
      const times = sent.get(id) ?? 0
      const expected = completed.get(name)?.length ?? 0
      // An entry that was dropped from the timeline does not tell any more.
      if (row.timelineDropped > 0 ? times < expected : times !== expected)
        yield `I3: ${name} of ${nameOf(row)} was produced ${times} times, expected ${expected}`
      sent.delete(id)
    }
  }
  for (const id of sent.keys()) yield `I3: no instance tells of the command ${id}`
}

const commandOf = (moment: Moment, { task: node }: TimelineRow): string | undefined =>
  moment.task(node).type === 'kafka-command' ? nameFor(moment, node) : undefined

/** As commands name it: "command3", and in a `for-each` "command3 a", with the item, which is a text that no other has. */
function nameFor(moment: Moment, node: number): string {
  const item = moment.item(node)?.value.value
  return typeof item === 'string' ? `${moment.task(node).name} ${item}` : moment.task(node).name
}
