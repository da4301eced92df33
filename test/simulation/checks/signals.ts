// Signals (src/engine/tasks/signal.ts): what is sent to an instance is taken once, by a task that waits for its name; what
// is kept for a task to come has none that waits beside it.
import { nameOf, type Evidence } from './finished.ts'
import { lastMomentsOf, momentsOf } from './nodes.ts'

/** G1: what a signal task has was sent to its instance under its name, and nobody else has it. */
export function* signalsTakenOnce(run: Evidence): Generator<string> {
  for (const failure of run.signals.failures) yield `G1: a signal was answered with ${failure}`
  const sent = new Set(
    run.signals.sent.map(({ instanceId, name, payload }) => JSON.stringify([instanceId, name, payload])),
  )
  const taken = new Set<string>()
  for (const moment of lastMomentsOf(run)) {
    for (const { node, task, is } of moment.nodes) {
      if (task.type !== 'signal' || is?.status !== 'COMPLETED') continue
      const payload = is.output?.value
      const name = `${moment.name(node)} of ${nameOf(moment.row)}`
      if (!sent.has(JSON.stringify([moment.row.id, task.signal, payload])))
        yield `G1: ${name} took ${JSON.stringify(payload)}, which was not sent to it`
      const id = JSON.stringify([moment.row.id, payload])
      if (taken.has(id)) yield `G1: ${name} took ${JSON.stringify(payload)}, which another has taken`
      taken.add(id)
    }
  }
}

/** G2: no task waits for a signal that is kept for it. */
export function* noSignalIsPassedBy(run: Evidence): Generator<string> {
  for (const life of run.instances) {
    for (const moment of momentsOf(run, life)) {
      const kept = new Set(moment.row.signals.map(({ name }) => name))
      if (kept.size === 0) continue
      for (const { node, is } of moment.nodes)
        if (is?.open?.kind === 'signal' && kept.has(is.open.name))
          yield `G2: ${moment.name(node)} of ${nameOf(moment.row)} waits at ${moment.atMs} for '${is.open.name}', which is kept`
    }
  }
}
