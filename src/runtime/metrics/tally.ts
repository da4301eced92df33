// What was decided, by workflow and by type of task: gathered with a batch, counted once that is committed.
import type { Event } from '../../engine/event.ts'
import { taskAt } from '../../engine/nodes.ts'
import type { InstanceRow, ReadTable } from '../../engine/state.ts'
import type { Catalogue } from '../../engine/world.ts'
import type { Workflow } from '../../definition/workflow.ts'
import { writtenType } from '../../definition/written-type.ts'
import type { Count, Histogram, Metrics } from './metrics.ts'
import { dueOf } from '../timers.ts'

interface TaskCounts {
  readonly completed: Count
  readonly failed: Count
  readonly retried: Count
}

/** The counts of one version: those of its name and of the types of its tasks, found once. */
interface VersionCounts {
  readonly workflow: Workflow
  readonly started: Count
  readonly completed: Count
  readonly failed: Count
  readonly stopped: Count
  readonly incidents: Count
  /** By `Task.index`. */
  readonly tasks: readonly TaskCounts[]
}

/** Of a worker. */
export class TallyBook {
  readonly #metrics: Metrics
  readonly #catalogue: Pick<Catalogue, 'find'>
  readonly #byVersion = new Map<string, VersionCounts>()
  readonly #letters = new Map<string, Count>()
  readonly lateness: Histogram

  constructor(metrics: Metrics, catalogue: Pick<Catalogue, 'find'>) {
    this.#metrics = metrics
    this.#catalogue = catalogue
    this.lateness = metrics.histogram('timerLateness')
  }

  /** undefined: it is not known. */
  of(version: string): VersionCounts | undefined {
    const known = this.#byVersion.get(version)
    if (known !== undefined) return known
    const workflow = this.#catalogue.find(version)
    if (workflow === undefined) return undefined
    const made = this.#make(workflow)
    this.#byVersion.set(version, made)
    return made
  }

  letters(reason: string): Count {
    let count = this.#letters.get(reason)
    if (count === undefined) this.#letters.set(reason, (count = this.#metrics.count('deadLetters', reason)))
    return count
  }

  #make(workflow: Workflow): VersionCounts {
    const metrics = this.#metrics
    const { name } = workflow
    return {
      workflow,
      started: metrics.count('instancesStarted', name),
      completed: metrics.count('instancesEnded', name, 'COMPLETED'),
      failed: metrics.count('instancesEnded', name, 'FAILED'),
      stopped: metrics.count('instancesEnded', name, 'STOPPED'),
      incidents: metrics.count('incidents', name),
      tasks: workflow.tasks.map((task) => {
        const type = writtenType(task)
        return {
          completed: metrics.count('tasks', type, 'completed'),
          failed: metrics.count('tasks', type, 'failed'),
          retried: metrics.count('tasks', type, 'retried'),
        }
      }),
    }
  }
}

/** Of a batch. */
export class Tally {
  readonly #book: TallyBook
  readonly #instances: Pick<ReadTable<InstanceRow>, 'find'>
  readonly #nowMs: number
  readonly #counts: Count[] = []
  readonly #latenessMs: number[] = []

  constructor(book: TallyBook, instances: Pick<ReadTable<InstanceRow>, 'find'>, nowMs: number) {
    this.#book = book
    this.#instances = instances
    this.#nowMs = nowMs
  }

  /** Called with every event once it is applied. */
  note(event: Event): void {
    switch (event.type) {
      case 'instance.started':
        this.#add(this.#book.of(event.row.version)?.started)
        return
      case 'instance.completed':
        this.#add(this.#of(event)?.completed)
        return
      case 'instance.failed':
        this.#add(this.#of(event)?.failed)
        return
      case 'instance.stopped':
        this.#add(this.#of(event)?.stopped)
        return
      case 'instance.incident-raised':
        this.#add(this.#of(event)?.incidents)
        return
      case 'task.completed':
        this.#add(this.#taskOf(event)?.completed)
        return
      case 'task.failed':
        this.#add(this.#taskOf(event)?.failed)
        if (event.hasIncident) this.#add(this.#of(event)?.incidents)
        return
      case 'task.retry-scheduled':
        if (event.isByHand === undefined) this.#add(this.#taskOf(event)?.retried)
        return
      case 'record.dead-lettered':
        this.deadLettered(event.code)
        return
      case 'timer.fired':
        // One that a person has overtaken is not due yet.
        if (dueOf(event.key) <= this.#nowMs) this.#latenessMs.push(this.#nowMs - dueOf(event.key))
        return
      default:
    }
  }

  deadLettered(reason: string): void {
    this.#add(this.#book.letters(reason))
  }

  /** The batch is committed. */
  settle(): void {
    for (const count of this.#counts) count.value += 1
    for (const ms of this.#latenessMs) this.#book.lateness.record(ms / 1_000)
  }

  #add(count: Count | undefined): void {
    if (count !== undefined) this.#counts.push(count)
  }

  #of({ instanceId }: { readonly instanceId: string }): VersionCounts | undefined {
    const instance = this.#instances.find(instanceId)
    return instance === undefined ? undefined : this.#book.of(instance.version)
  }

  #taskOf(event: { readonly instanceId: string; readonly task: number }): TaskCounts | undefined {
    const counts = this.#of(event)
    return counts?.tasks[taskAt(counts.workflow, event.task).index]
  }
}
