// Mistakes of schedules, and of starts that wait.
import type { Plant } from '../plant.ts'

const schedule = 'src/engine/deciders/schedule.ts'

export const startPlants: readonly Plant[] = [
  {
    name: 'due-passed-over',
    trap: 'Z2: a partition that comes up late goes on with the next time, and what was due meanwhile is lost',
    file: schedule,
    find: 'const fromMs = Math.max(entry.nextMs, nowMs - Math.max(catchUpMs, limits.scheduleLateMs))',
    replace: 'const fromMs = Math.max(entry.nextMs, nowMs - limits.scheduleLateMs)',
  },
  {
    name: 'end-not-told',
    trap: 'Z3: an instance that fails does not tell its schedule, which waits for it for ever',
    file: 'src/engine/deciders/ending.ts',
    find: 'if (instance.due !== undefined) tellSchedule',
    replace: "if (instance.due !== undefined && told.outcome === 'completed') tellSchedule",
  },
  {
    name: 'overlap-not-minded',
    trap: 'Z3: a schedule takes its instance for over as soon as the next time is due',
    file: schedule,
    find: "const isBusy = runningMs !== undefined && trigger.overlap !== 'all'",
    replace: "const isBusy = runningMs === dueAtMs && trigger.overlap !== 'all'",
  },
  {
    name: 'queue-forgotten',
    trap: 'Q3: only an instance that completes lets the next start begin',
    file: 'src/engine/deciders/ending.ts',
    find: 'if (key?.instanceId === instance.id && key.queue.length > 0)',
    replace: "if (key?.instanceId === instance.id && key.queue.length > 0 && told.outcome === 'completed')",
  },
]
