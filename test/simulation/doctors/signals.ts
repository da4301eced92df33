// Runs doctored in signals (checks/signals.ts).
import { Payload } from '../../../src/engine/payload.ts'
import { lastMomentOf, momentsOf } from '../checks/nodes.ts'
import { retell, type Case } from './doctoring.ts'

export const signalCases = {
  signalsTakenOnce: {
    invariant: 'G1',
    title: 'a signal that nobody sent',
    doctor: (run) => {
      const isTaken = run.instances.some((life) =>
        lastMomentOf(run, life)?.nodes.some(({ task, is }) => task.type === 'signal' && is?.status === 'COMPLETED'),
      )
      return isTaken ? { ...run, signals: { sent: [], failures: [] } } : undefined
    },
  },

  noSignalIsPassedBy: {
    invariant: 'G2',
    title: 'a task that waits for a signal which is there',
    doctor: (run) => {
      for (const life of run.instances) {
        for (const { nodes, row } of momentsOf(run, life)) {
          const open = nodes.map(({ is }) => is?.open).find((each) => each?.kind === 'signal')
          if (open?.kind !== 'signal') continue
          return retell(run, life, { ...row, signals: [{ name: open.name, payload: Payload.of('kept') }] })
        }
      }
      return undefined
    },
  },
} satisfies { readonly [check: string]: Case }
