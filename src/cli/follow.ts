// An instance as it lives: its timeline, entry by entry, until it ends or waits for a person.
//
// The worker is asked with a long poll, so a line appears when it happens. A worker that goes away for a moment (a
// deployment) is waited for: what has been seen is counted, so nothing is shown twice and nothing is left out that
// the instance still keeps.
import { setTimeout as pause } from 'node:timers/promises'
import type { InstanceView, TimelineEntry } from '../runtime/face.ts'
import { WorkerUnreachable } from './calls.ts'
import type { Client } from './client.ts'
import { isTerminal } from './instance-text.ts'

/** How long one question stays open. */
const waitMs = 20_000
const reconnectEveryMs = 500
const reconnectForMs = 60_000

export interface FollowListener {
  /** New entries; `dropped` counts those that were gone before they could be shown. */
  onEntries(entries: readonly TimelineEntry[], instance: InstanceView, dropped: number): void
  /** The worker does not answer for now. */
  onInterruption?(): void
}

/**
 * Follows an instance; resolves with its last state when it has ended or has an incident, with undefined when it is not kept any more.
 * @throws {WorkerUnreachable} No worker answered for a minute.
 */
export async function followInstance(
  client: Client,
  id: string,
  listener: FollowListener,
): Promise<InstanceView | undefined> {
  let seen = 0
  for (;;) {
    const instance = await patiently(() => client.findInstance(id, { seen, waitMs }), listener)
    if (instance === undefined) return undefined
    const { timeline, timelineDropped } = instance
    const total = timelineDropped + timeline.length
    if (total > seen) {
      const missed = Math.max(0, timelineDropped - seen)
      listener.onEntries(timeline.slice(Math.max(0, seen - timelineDropped)), instance, missed)
    }
    seen = total
    if (isTerminal(instance.status) || instance.incidents > 0) return instance
  }
}

async function patiently<Answer>(ask: () => Promise<Answer>, listener: FollowListener): Promise<Answer> {
  for (let waitedMs = 0; ; waitedMs += reconnectEveryMs) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof WorkerUnreachable) || waitedMs >= reconnectForMs) throw error
      if (waitedMs === 0) listener.onInterruption?.()
      await pause(reconnectEveryMs)
    }
  }
}
