// One input, whole: decide, apply, and so on with what follows, until nothing does. Synchronous and pure (D4): all it
// touches is the state it was given.
import { assert } from '../base/assert.ts'
import { limits } from '../base/limits.ts'
import { apply } from './apply.ts'
import { noteStale, type StaleAttributes } from './attributes.ts'
import type { Command } from './command.ts'
import { decide } from './decide.ts'
import type { Effect, Outgoing } from './effect.ts'
import type { RejectionCode } from './rejection.ts'
import type { Event } from './event.ts'
import type { WritableState } from './state.ts'
import type { World } from './world.ts'

/** Where the results of a batch's inputs are gathered. */
export interface Gathered {
  readonly outgoing: Outgoing[]
  readonly effects: Effect[]
  /** Called with every event before it is applied, where somebody asks. */
  readonly onDecided?: ((event: Event) => void) | undefined
  /** Called with every event that was applied. */
  onEvent(event: Event): void
  /** Called with every command that was refused. */
  onRejection(command: Command, code: RejectionCode): void
}

/** @throws {InvariantViolation} A bug of ours; the state must be discarded. */
export function process(input: Command, state: WritableState, world: World, gathered: Gathered): void {
  const queue: Command[] = [input]
  let stale: StaleAttributes | undefined
  // A queue with a head index: shift() would move the rest each time.
  for (let head = 0; head < queue.length; head++) {
    assert(head < limits.followUpsMax, 'E2: what follows from one input comes to an end')
    const command = queue[head] as Command
    const outcome = decide(command, state, world)
    if ('rejected' in outcome) {
      gathered.onRejection(command, outcome.rejected)
      continue
    }
    for (const event of outcome.events) {
      gathered.onDecided?.(event)
      apply(event, state)
      gathered.onEvent(event)
      if (world.catalogue.hasAttributes) stale = noteStale(event, state, world.catalogue, stale)
    }
    for (const record of outcome.outgoing) gathered.outgoing.push(record)
    for (const effect of outcome.effects) gathered.effects.push(effect)
    for (const next of outcome.followUps) queue.push(next)
    if (stale === undefined || head + 1 < queue.length) continue
    for (const [instanceId, changed] of stale) queue.push({ type: 'instance.index', instanceId, changed })
    stale = undefined
  }
}
