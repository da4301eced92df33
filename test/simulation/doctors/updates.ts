// Runs doctored in what was told of instances (checks/updates.ts).
import type { Update } from '../../../src/records/update.ts'
import type { Evidence, Finished } from '../checks/finished.ts'
import type { Seen } from '../history.ts'
import { change, type Case } from './doctoring.ts'

/** The run with the updates of the first partition that has some told differently. */
function toldDifferently(run: Evidence, to: (seen: readonly Seen[]) => readonly Seen[]): Finished | undefined {
  const { history, topics } = run.committed
  for (let partition = 0; partition < run.plan.partitions; partition++)
    if (history.of(topics.updates, partition).length > 2) return change(run, topics.updates, partition, to)
  return undefined
}

export const updateCases = {
  updatesLeaveNothingOut: {
    invariant: 'I21',
    title: 'an update that is not there, and those behind it are',
    doctor: (run) => toldDifferently(run, (seen) => seen.slice(1)),
  },

  updatesTellHistories: {
    invariant: 'I21',
    title: 'an update that tells another time than the history does',
    doctor: (run) =>
      toldDifferently(run, ([first, ...others]) => {
        if (first === undefined) return others
        const update = JSON.parse(Buffer.from(first.value ?? '').toString()) as Update
        return [
          { ...first, value: Buffer.from(JSON.stringify({ ...update, time: '2020-01-01T00:00:00.000Z' })) },
          ...others,
        ]
      }),
  },
} satisfies { readonly [check: string]: Case }
