// trigger: waits until a time or for a delay.
import { parseDuration } from '../../definition/duration.ts'
import { parseTime } from '../../definition/time.ts'
import { armTaskTimer, AttemptFailed, evaluate, identity } from '../attempt.ts'
import type { Begin } from './behaviour.ts'

export const beginTrigger: Begin<'trigger'> = (at, out) => {
  const { task, world } = at
  const template = task.at ?? task.delay
  const value = template && evaluate(at, template)
  let dueAtMs: number | undefined
  if (typeof value === 'string') {
    if (task.at !== undefined) dueAtMs = parseTime(value)
    else {
      const delayMs = parseDuration(value)
      if (delayMs !== undefined) dueAtMs = world.nowMs + delayMs
    }
  }
  if (dueAtMs === undefined) {
    const expected = task.at === undefined ? 'delay: expected a duration such as "5m"' : 'at: expected an RFC 3339 time'
    throw new AttemptFailed('expression', `${expected}, found ${JSON.stringify(value)}`)
  }
  const timer = armTaskTimer(at, dueAtMs, out)
  out.event({
    type: 'task.executing',
    ...identity(at),
    open: { kind: 'time', dueAtMs, timer },
  })
}
