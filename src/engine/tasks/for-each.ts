// for-each: every item has a slot, in which the tasks run once for it; deciders/join.ts begins them and counts their ends.
import { limits } from '../../base/limits.ts'
import { AttemptFailed, checkPayload, completeAttempt, evaluate, identity, truncate } from '../attempt.ts'
import { beginItems, childrenWork } from '../deciders/join.ts'
import { Payload } from '../payload.ts'
import type { Begin } from './behaviour.ts'

export const beginForEach: Begin<'for-each'> = (at, out) => {
  const { instance, task } = at
  const items = evaluate(at, task.items)
  if (!Array.isArray(items)) {
    throw new AttemptFailed('expression', `items: expected a list, found ${truncate(JSON.stringify(items))}`)
  }
  if (items.length > limits.itemsMax) {
    throw new AttemptFailed('items-too-many', `items: ${items.length} of them; at most ${limits.itemsMax} can be run`)
  }
  if (items.length === 0) return completeAttempt(at, Payload.of([]), out)
  const list = checkPayload(Payload.of(items), 'the list of items')
  const open = childrenWork(items.length, { begun: 0, firstSlot: instance.slots + 1, items: list })
  out.event({ type: 'slots.taken', instanceId: instance.id, count: items.length })
  out.event({ type: 'task.executing', ...identity(at), open })
  beginItems(at, open, out)
}
