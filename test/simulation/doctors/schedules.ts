// Runs doctored in what schedules started.
import { scheduleCodec } from '../../../src/records/row-codec.ts'
import { prefixes } from '../../../src/records/keys.ts'
import { triggerAmong } from '../checks/schedules.ts'
import { changelogOf, ended, keyOf, retell, write, type Case } from './doctoring.ts'

export const scheduleCases = {
  scheduledOnce: {
    invariant: 'Z1',
    title: 'an instance of a time that was none of its schedule',
    doctor: (run) => {
      const life = run.instances.find(({ last }) => last.due !== undefined)
      const due = life?.last.due
      return life && due && retell(run, life, { due: { ...due, dueAtMs: due.dueAtMs + 500 } })
    },
  },

  nothingDueIsLost: {
    invariant: 'Z2',
    title: 'a time that was due, and whose instance is gone without a trace',
    doctor: (run) => {
      const life = run.instances.find(({ last }) => {
        const trigger = last.due && triggerAmong(run, last.workflow, last.due.trigger)
        return trigger?.overlap === 'all' && trigger.catchUpMs > 86_400_000
      })
      if (life === undefined) return undefined
      return changelogOf(run, life.partition, (seen) => seen.filter((each) => keyOf(each) !== `i/${life.id}`))
    },
  },

  schedulesKeepApart: {
    invariant: 'Z3',
    title: 'an instance that goes on while the next of its schedule runs',
    doctor: (run) => {
      const own = run.instances.filter(({ last }) => {
        const trigger = last.due && triggerAmong(run, last.workflow, last.due.trigger)
        return trigger !== undefined && trigger.overlap !== 'all'
      })
      const first = own.find((life) =>
        own.some(
          ({ last }) =>
            last.due?.trigger === life.last.due?.trigger && (last.due?.dueAtMs ?? 0) > (life.last.due?.dueAtMs ?? 0),
        ),
      )
      if (first === undefined) return undefined
      const begun = first.versions[0]?.offset
      return changelogOf(run, first.partition, (seen) =>
        seen.filter((each) => keyOf(each) !== `i/${first.id}` || each.offset === begun),
      )
    },
  },

  schedulesHearOfEnds: {
    invariant: 'Z3',
    title: 'a schedule that waits for an instance which has ended',
    doctor: (run) => {
      for (const { id, partition, last, isRemoved } of run.committed.lives('schedules')) {
        const life = run.instances.find(
          (each) => each.last.workflow === id && each.last.due !== undefined && ended(each),
        )
        const due = life?.last.due
        if (isRemoved || due === undefined) continue
        const entries = last.entries.map((entry) =>
          entry.trigger === due.trigger ? { ...entry, runningMs: due.dueAtMs } : entry,
        )
        return write(run, partition, `${prefixes.schedules}${id}`, scheduleCodec.encode({ workflow: id, entries }))
      }
      return undefined
    },
  },
} satisfies { readonly [check: string]: Case }
