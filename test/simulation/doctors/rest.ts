// Runs doctored in stores, timers, logs, and in what is left at rest: I5, I7, I10, I15–I19.
import { prefixes } from '../../../src/records/keys.ts'
import { channelCodec } from '../../../src/records/channel-codec.ts'
import { keptCodec, timerCodec } from '../../../src/records/row-codec.ts'
import type { Evidence, Finished } from '../checks/finished.ts'
import { changelogOf, entry, retell, write, type Case } from './doctoring.ts'

export const restCases = {
  storesFollow: {
    invariant: 'I5',
    title: 'a value on a disk that is not the one in the changelog',
    doctor: (run) => {
      const image = run.images.find(({ entries }) => entries.length > 0)
      const [first, ...others] = image?.entries ?? []
      if (image === undefined || first === undefined) return undefined
      return { ...run, images: [{ ...image, entries: [{ ...first, value: Buffer.from('other') }, ...others] }] }
    },
  },

  removedStaysRemoved: {
    invariant: 'I15',
    title: 'a kept record that comes back after it was removed',
    doctor: (run) => {
      const life = run.committed.lives('kept').find(({ isRemoved }) => isRemoved)
      return life && write(run, life.partition, `${prefixes.kept}${life.id}`, keptCodec.encode(life.last))
    },
  },

  noneOverdue: {
    invariant: 'I7',
    title: 'a timer that never came',
    doctor: (run) =>
      write(run, 0, 't/forgotten', timerCodec.encode({ dueAtMs: 1, target: { kind: 'expire-kept', number: 0 } })),
  },

  neverEarly: {
    invariant: 'I7',
    title: 'a timer that came before its time',
    doctor: (run) => {
      const life = run.instances.find(({ last }) => last.status === 'EXECUTING' && last.tasks[0] !== undefined)
      const task = life?.last.tasks[0]
      if (life === undefined || task === undefined) return undefined
      const dueAtMs = life.last.startedAtMs + 3_600_000
      const open = { kind: 'time', dueAtMs, timer: 't' } as const
      const waiting = { ...task, status: 'EXECUTING', open } as const
      const waits = retell(run, life, { tasks: [waiting] })
      return retell(waits, life, {
        tasks: [{ ...waiting, status: 'COMPLETED', open: undefined }],
        timeline: [...life.last.timeline, entry(life, { atMs: dueAtMs - 1, attempt: task.attempt })],
      })
    },
  },

  epochsGrow: {
    invariant: 'I10',
    title: 'a writer whose epoch is older than the one before',
    doctor: (run) =>
      changelogOf(run, 0, (seen) => {
        const last = seen.at(-1)
        if (last?.writer === undefined) return seen
        return [...seen, { ...last, offset: last.offset + 2, writer: { ...last.writer, producerId: -2 } }]
      }),
  },

  allAtRest: {
    invariant: 'I16',
    title: 'an instance that waits for nothing',
    doctor: (run) => {
      const [life] = run.instances
      return life && retell(run, life, { status: 'EXECUTING', incidents: 0, tasks: [] })
    },
  },

  nothingOpen: {
    invariant: 'I17',
    title: 'a transaction that is open',
    doctor: (run) => {
      const broker = { unfinishedTransactions: () => ['sim-0'] }
      return { ...run, world: Object.create(run.world, { broker: { value: broker } }) }
    },
  },

  groupStandsStill: {
    invariant: 'I18',
    title: 'a partition whose owner does not run',
    doctor: (run) => ({ ...run, views: new Map() }),
  },

  dueAsDefined: {
    invariant: 'I7',
    title: 'a time that is not the one of the definition',
    doctor: (run) => {
      for (const life of run.instances) {
        const task = run.workflows.get(life.last.version)?.tasks.find(({ type }) => type === 'kafka-listener')
        const is = task && life.last.tasks[task.index]
        if (task?.timeoutMs === undefined || is === undefined) continue
        const open = {
          kind: 'record',
          number: 1,
          value: 'v',
          others: [],
          timer: timerKeyAt(life.last.startedAtMs),
        } as const
        const began = entry(life, { task: task.index, status: 'EXECUTING', attempt: is.attempt })
        const tasks = life.last.tasks.map((each, index) =>
          index === task.index ? { ...is, status: 'EXECUTING' as const, open } : each,
        )
        return retell(run, life, { tasks, timeline: [...life.last.timeline, began] })
      }
      return undefined
    },
  },

  timersHaveTargets: {
    invariant: 'I7',
    title: 'a timer that is to forget an instance which is gone',
    doctor: (run) => {
      const target = { kind: 'forget-instance', instanceId: 'nobody-0' } as const
      return write(run, 0, `${prefixes.timers}9/f`, timerCodec.encode({ dueAtMs: 9, target }))
    },
  },

  tablesAgree: {
    invariant: 'C4',
    title: 'a channel that nobody waits in and nothing is kept in',
    doctor: (run) => {
      const row = { workflow: 'w', topic: 't', value: 'v', waiters: [], crowd: undefined, kept: [] }
      return write(run, 0, `${prefixes.channels}w/t/v`, channelCodec.encode(row))
    },
  },

  nobodyTrespasses: {
    invariant: 'I10',
    title: 'a producer that was opened with no right to it',
    doctor: (run) => withWorld(run, { trespasses: ['w1 opened the producer of partition 0'] }),
  },

  handlesAreFew: {
    invariant: 'I19',
    title: 'a reader that was left open',
    doctor: (run) => {
      const nodes = run.world.nodes().map(({ name, conduct }) => ({
        name,
        conduct: { openProducers: conduct.openProducers, openStores: conduct.openStores, openReaders: ['left/0'] },
      }))
      return withWorld(run, { nodes: () => nodes })
    },
  },

  rejectionsAreHeard: {
    invariant: 'I19',
    title: 'a promise that nobody waited for',
    doctor: (run) => ({ ...run, rejections: ['an error'] }),
  },
} satisfies { readonly [check: string]: Case }

const timerKeyAt = (dueAtMs: number): string => `${dueAtMs.toString().padStart(15, '0')}/i/x`

/** The run in a world with some of its properties replaced. */
const withWorld = (run: Evidence, properties: { readonly [name: string]: unknown }): Finished => ({
  ...run,
  world: Object.create(
    run.world,
    Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, { value }])),
  ),
})
