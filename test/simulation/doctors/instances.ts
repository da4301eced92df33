// Runs doctored in what instances did: I1–I4, I12, and the engine's own rules of tasks and their edges.
import type { Task } from '../../../src/definition/workflow.ts'
import { workId, type InstanceRow } from '../../../src/engine/state.ts'
import { prefixes } from '../../../src/records/keys.ts'
import { timerCodec, workCodec } from '../../../src/records/row-codec.ts'
import type { Evidence } from '../checks/finished.ts'
import type { Life } from '../committed.ts'
import {
  change,
  changelogOf,
  ended,
  entry,
  keyOf,
  retell,
  retellTask,
  write,
  writeInstance,
  type Case,
} from './doctoring.ts'

export const instanceCases = {
  recordsStartOnce: {
    invariant: 'I1',
    title: 'a record whose instance is gone without a trace',
    doctor: (run) => {
      const life = run.instances.find(({ last }) => {
        const asks = run.sources.flatMap(({ uses }) => uses.starts).filter(({ key }) => key === last.key)
        return asks.length === 1 && asks[0]?.isCertain === true && last.origin.startsWith('record ')
      })
      if (life === undefined) return undefined
      return changelogOf(run, life.partition, (seen) => seen.filter((each) => keyOf(each) !== `i/${life.id}`))
    },
  },

  keysRunOnce: {
    invariant: 'I1',
    title: 'two instances that run under one key',
    doctor: (run) => {
      const life = run.instances.find(({ last }) => last.status === 'EXECUTING')
      return life && retell(run, life, { id: `another-${life.partition}` })
    },
  },

  callsAnswered: {
    invariant: 'I1',
    title: 'a call that nobody answered',
    doctor: (run) => {
      const [call] = run.calls
      return call && { ...run, calls: [{ ...call, answers: [] }] }
    },
  },

  answersAreTrue: {
    invariant: 'I1',
    title: 'an answer that names an instance which never was',
    doctor: (run) => {
      const call = run.calls.find(({ answers }) => answers.some(({ answer }) => answer.outcome === 'started'))
      const [first] = call?.answers ?? []
      if (call === undefined || first === undefined) return undefined
      const answer = { outcome: 'started', instanceId: 'nobody-0', key: call.act.key } as const
      return { ...run, calls: [{ ...call, answers: [{ ...first, answer }] }] }
    },
  },

  callsStartOnce: {
    invariant: 'I1',
    title: 'an instance of the API that nobody called for',
    doctor: (run) =>
      run.instances.some(({ last }) => last.origin === 'api') && !run.plan.strikes.some(({ what }) => what === 'day')
        ? { ...run, calls: [] }
        : undefined,
  },

  instancesEndOnce: {
    invariant: 'I2',
    title: 'an instance that goes on after its end',
    doctor: (run) => {
      const life = run.instances.find(ended)
      return life && retell(run, life, { status: 'EXECUTING' })
    },
  },

  versionsStay: {
    invariant: 'I12',
    title: 'an instance that changes its version',
    doctor: (run) => {
      const life = run.instances.find(({ last }) => last.status === 'EXECUTING')
      const other = life && [...run.workflows.keys()].find((version) => version !== life.last.version)
      return life && other !== undefined ? retell(run, life, { version: other }) : undefined
    },
  },

  commandsOnce: {
    invariant: 'I3',
    title: 'a command that was produced twice',
    doctor: (run) => {
      for (const topic of run.plan.programs.commandTopics) {
        const [first] = run.committed.history.all(topic)
        if (first !== undefined) return change(run, topic, first.partition, (seen) => [...seen, ...seen])
      }
      return undefined
    },
  },

  keysAreOnes: {
    invariant: 'I4',
    title: 'two tasks with one idempotency key',
    doctor: (run) => {
      const [first] = run.journal
      return first && { ...run, journal: [first, { ...first, task: 'another' }] }
    },
  },

  attemptsCount: {
    invariant: 'I4',
    title: 'a task that leaves out an attempt',
    doctor: (run) => {
      const life = run.instances.find(({ last }) => last.timelineDropped === 0 && last.tasks[0] !== undefined)
      return life && retell(run, life, { timeline: [...life.last.timeline, entry(life, { attempt: 9 })] })
    },
  },

  completionsReturned: {
    invariant: 'I4',
    title: 'a completion that no handler returned',
    doctor: (run) => {
      const isCompleted = run.instances.some(({ last }) =>
        last.tasks.some(
          (task, index) =>
            task?.status === 'COMPLETED' && run.workflows.get(last.version)?.tasks[index]?.type === 'handler',
        ),
      )
      return isCompleted ? { ...run, journal: [] } : undefined
    },
  },

  tasksAreOfTheirVersion: {
    invariant: 'I12',
    title: 'a task that waits for what none of its type does',
    doctor: (run) => {
      for (const life of run.instances) {
        const task = taskOf(run, life, ({ type }) => type !== 'process')
        if (task !== undefined) return retellTask(run, life, task.index, { open: { kind: 'scope', unsettled: 1 } })
      }
      return undefined
    },
  },

  edgesDecide: {
    invariant: 'S1',
    title: 'a task that was passed over though its turn had come',
    doctor: (run) => {
      for (const life of run.instances) {
        const task = taskOf(run, life, ({ dependsOn }) => dependsOn.length === 0)
        if (task !== undefined) return retellTask(run, life, task.index, { status: 'SKIPPED', attempt: 0 })
      }
      return undefined
    },
  },

  beginInTurn: {
    invariant: 'S1',
    title: 'a task that began before the one that it depends on',
    doctor: (run) => {
      for (const life of run.instances) {
        const task = taskOf(run, life, ({ dependsOn }) => dependsOn.length > 0)
        const { timeline } = life.last
        const begins = timeline.find((each) => each.task === task?.index)
        if (begins !== undefined) return retell(run, life, { timeline: [begins, ...timeline] })
      }
      return undefined
    },
  },

  scopesEndWhole: {
    invariant: 'S3',
    title: 'an instance that is complete with a task that is not settled',
    doctor: (run) => {
      const life = run.instances.find(({ last }) => last.status === 'COMPLETED')
      return life && retell(run, life, { tasks: [] })
    },
  },

  edgesAreLeft: {
    invariant: 'S2',
    title: 'a completed task that leaves dead edges',
    doctor: (run) => {
      for (const life of run.instances) {
        const index = life.last.tasks.findIndex((is) => is?.status === 'COMPLETED')
        if (index !== -1) return retellTask(run, life, index, { edges: 'dead' })
      }
      return undefined
    },
  },

  runsStandAlone: {
    invariant: 'H2',
    title: 'a run that began beside another of its attempt',
    doctor: (run) => {
      const [first] = run.journal
      return first && { ...run, journal: [{ ...first, isBeside: true }] }
    },
  },

  nothingOpenOutside: {
    invariant: 'S3',
    title: 'a task that is open in an instance that has ended',
    doctor: (run) => {
      const life = run.instances.find((each) => ended(each) && each.last.tasks[0] !== undefined)
      return life && retellTask(run, life, 0, { open: { kind: 'scope', unsettled: 1 } })
    },
  },

  timersAreNamed: {
    invariant: 'T3',
    title: 'a timer of a task that does not wait for it',
    doctor: (run) => {
      const life = run.instances.find(ended)
      if (life === undefined) return undefined
      const target = { kind: 'task', instanceId: life.id, task: 0 } as const
      const armed = write(run, life.partition, `${prefixes.timers}9/i`, timerCodec.encode({ dueAtMs: 9, target }))
      return writeInstance(armed, life, life.last)
    },
  },

  workIsOpen: {
    invariant: 'T4',
    title: 'work of a task that is not open',
    doctor: (run) => {
      const life = run.instances.find(ended)
      if (life === undefined) return undefined
      const row = workCodec.encode({ instanceId: life.id, task: 0 })
      const owed = write(run, life.partition, `${prefixes.work}${workId(life.id, 0)}`, row)
      return writeInstance(owed, life, life.last)
    },
  },
} satisfies { readonly [check: string]: Case }

/** A task of its workflow that an instance has begun. */
function taskOf(run: Evidence, { last }: Life<InstanceRow>, isIt: (task: Task) => boolean): Task | undefined {
  if (last.timelineDropped > 0) return undefined
  return run.workflows.get(last.version)?.tasks.find((task) => last.tasks[task.index] !== undefined && isIt(task))
}
