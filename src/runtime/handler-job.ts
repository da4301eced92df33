// What a handler has to do for one task, and what can be told of it.
import type { Json } from '../base/json.ts'
import type { Command } from '../engine/command.ts'
import type { Performer } from '../engine/effect.ts'
import type { HandlerCall } from './handler-call.ts'

/** Where a job's commands go: the partition that its instance lives on. */
export type Deliver = (command: Command) => void

export interface Job extends Performer {
  readonly id: string
  readonly partition: number
  readonly instanceId: string
  readonly task: number
  readonly attempt: number
  state: 'waiting' | 'granted' | 'running' | 'stopping'
  hasSlot: boolean
  /** H3 */
  isOwed: boolean
  deliver: Deliver
  /** Once it runs or is stopped. */
  call: HandlerCall | undefined
  /** When its handler has returned. */
  returned: Promise<unknown> | undefined
  /** Ends the time that its `stop` has. */
  endStop: () => void
}

export interface HandlerStanding {
  readonly state: Job['state']
  /** Others of its handler that wait for a slot before it. */
  readonly behind?: number
  readonly concurrency?: number
  readonly heardAtMs: number | undefined
  readonly progress: Json | undefined
}

/** What a handler has under way, and what waits for a slot. */
export interface HandlerLoad {
  readonly handler: string
  readonly running: number
  readonly waiting: number
}

/** As people know it: http tasks are one, whatever handler is named so. */
export const shownAs = ({ kind, handler }: Performer): string => (kind === 'http' ? 'http' : handler)

/** By handler; those that have something under way. */
export function loadsOf(jobs: Iterable<Job>): readonly HandlerLoad[] {
  const loads = new Map<string, { handler: string; running: number; waiting: number }>()
  for (const job of jobs) {
    const handler = shownAs(job)
    const load = loads.get(handler) ?? { handler, running: 0, waiting: 0 }
    if (job.hasSlot) load.running += 1
    if (job.state === 'waiting') load.waiting += 1
    loads.set(handler, load)
  }
  return [...loads.values()]
}
