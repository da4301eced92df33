// Mistakes in attempts, retries and timers.
import type { Plant } from '../plant.ts'

export const taskPlants: readonly Plant[] = [
  {
    name: 'attempt-not-counted',
    trap: 'I4: a retry has the number of the attempt before it',
    file: 'src/engine/deciders/due.ts',
    find: 'const at = { ...last, number: last.number + 1 }',
    replace: 'const at = { ...last, number: Math.max(last.number, 1) }',
  },
  {
    name: 'early-by-a-second',
    trap: 'I7: a delay is counted in whole seconds of the clock, and ends early',
    file: 'src/engine/tasks/trigger.ts',
    find: 'dueAtMs = world.nowMs + delayMs',
    replace: 'dueAtMs = Math.floor((world.nowMs + delayMs) / 1_000) * 1_000',
  },
  {
    name: 'timer-fires-twice',
    trap: 'I7: a timer that fired keeps its row: that of a forgotten instance fires again after each move',
    file: 'src/engine/apply.ts',
    find: "'timer.fired': timerFired,",
    replace: "'timer.fired': (event, state) => void [timerFired, event, state],",
  },
  {
    name: 'timer-not-cancelled',
    trap: 'T3: the timer of work that has ended stays',
    file: 'src/engine/appliers/task.ts',
    find: 'if (timer !== undefined && timer !== timerOf(after)) state',
    replace: 'if (timer !== undefined && after !== undefined && timer !== timerOf(after)) state',
  },
  {
    name: 'random-jitter',
    trap: 'I11: the jitter of a retry is drawn from a random source: a batch that is decided again comes out otherwise',
    file: 'src/engine/failure.ts',
    find: 'const draw = (murmur2(encoder.encode(`${at.instance.id}/${at.node}/${at.number}`)) >>> 0) / 0x1_0000_0000',
    replace:
      'const draw = (murmur2(encoder.encode(`${at.instance.id}/${at.node}/${Math.random()}`)) >>> 0) / 0x1_0000_0000',
  },
]
