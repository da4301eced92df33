// Appliers of starts that wait for the instance of their key to end.
// Q3. The row of the key lists exactly the starts that wait for it.
import type { Applier } from '../applier.ts'
import { queuedId } from '../state.ts'

export const startQueued: Applier<'start.queued'> = ({ key, number, start }, state) => {
  state.queued.insert(queuedId(key, number), { start })
  const row = state.keys.edit(key)
  row.queue = [...row.queue, number]
}

export const startDequeued: Applier<'start.dequeued'> = ({ key, number }, state) => {
  state.queued.remove(queuedId(key, number))
  const row = state.keys.edit(key)
  row.queue = row.queue.filter((each) => each !== number)
}
