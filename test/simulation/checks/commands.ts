// I3: each command once in the committed output, and only those that the instances tell of. A command says which task
// of which instance it is of (programs.ts).
import { instanceRowsOf, nameOf, type Evidence } from './finished.ts'

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
  for (const { row, workflow } of instanceRowsOf(run)) {
    for (const task of workflow.tasks) {
      if (task.type !== 'kafka-command') continue
      const expected = row.timeline.filter((each) => each.task === task.index && each.status === 'COMPLETED').length
      const id = `${row.id}/${task.name}`
      const times = sent.get(id) ?? 0
      if (times !== expected)
        yield `I3: ${task.name} of ${nameOf(row)} was produced ${times} times, expected ${expected}`
      sent.delete(id)
    }
  }
  for (const id of sent.keys()) yield `I3: no instance tells of the command ${id}`
}
