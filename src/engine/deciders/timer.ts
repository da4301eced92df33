// A timer is due: what it means depends on whose it is. I7: once, because firing removes its row in the same batch.
import { assert } from '../../base/assert.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import { reject } from '../rejection.ts'
import { keptId, type State } from '../state.ts'
import { buryKept } from './channel.ts'
import { deadlinePassed, taskDue } from './due.ts'
import { scheduleDue } from './schedule.ts'

export const fireTimer: Decider<'timer.fire'> = ({ timer }, state, world) => {
  const row = state.timers.find(timer)
  if (row === undefined) return reject('timer-superseded')
  assert(row.dueAtMs <= world.nowMs, 'I7: a timer never fires early')
  const out = accept().event({ type: 'timer.fired', key: timer })
  const { target } = row
  switch (target.kind) {
    case 'task': {
      const due = taskDue(target, timer, state, world)
      return typeof due === 'string' ? out : out.include(due)
    }
    case 'max-duration':
    case 'monitor':
    case 'deadline': {
      const due = deadlinePassed(target, timer, state, world)
      return typeof due === 'string' ? out : out.include(due)
    }
    case 'schedule':
      return out.include(scheduleDue(target, state, world))
    case 'forget-instance':
      return out.follow({ type: 'instance.forget', instanceId: target.instanceId })
    case 'expire-kept':
      return expireKept(target.number, state, out)
    case 'forget-answer':
      return out.event({ type: 'answer.forgotten', answer: target.answer })
  }
}

function expireKept(number: number, state: State, out: Outcome): Outcome {
  const kept = state.kept.find(keptId(number))
  if (kept === undefined) return out
  out.event({ type: 'record.unkept', number, reason: 'expired' })
  return buryKept(kept, 'expired', state, out)
}
