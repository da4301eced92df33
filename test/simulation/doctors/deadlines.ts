// Runs doctored in what bounds tasks and watches them (checks/deadlines.ts).
import { timerKey } from '../../../src/engine/state.ts'
import { entry, retell, retellTask, type Case } from './doctoring.ts'

export const deadlineCases = {
  deadlinesAsDefined: {
    invariant: 'I7',
    title: 'a bound that its workflow does not have',
    doctor: (run) => {
      const [life] = run.instances
      if (life === undefined) return undefined
      const target = { kind: 'max-duration', instanceId: life.id, task: -1 } as const
      const maxDuration = timerKey(life.last.startedAtMs + 7, target)
      return retell(run, life, { deadlines: { maxDuration, monitor: undefined, deadline: undefined } })
    },
  },

  deadlinesEnd: {
    invariant: 'I7',
    title: 'a task that was ended before its time was up',
    doctor: (run) => {
      for (const life of run.instances) {
        for (const { index, maxDurationMs } of run.workflows.get(life.last.version)?.tasks ?? []) {
          const is = life.last.tasks[index]
          if (maxDurationMs === undefined || is?.endedAtMs === undefined) continue
          const error = { code: 'max-duration', message: `longer than its maxDuration of ${maxDurationMs} ms` }
          return retellTask(run, life, index, { error, endedAtMs: is.startedAtMs + 1 })
        }
      }
      return undefined
    },
  },

  monitorsRunOnce: {
    invariant: 'T8',
    title: 'a monitor that runs twice',
    doctor: (run) => {
      for (const life of run.instances) {
        const monitor = run.workflows.get(life.last.version)?.tasks.find(({ aside }) => aside === 'monitor')
        if (monitor === undefined || life.last.timelineDropped > 0) continue
        const often = Array.from({ length: life.last.timeline.length + 2 }, () => entry(life, { task: monitor.index }))
        return retell(run, life, { timeline: [...life.last.timeline, ...often] })
      }
      return undefined
    },
  },
} satisfies { readonly [check: string]: Case }
