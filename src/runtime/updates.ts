// The updates of a batch: gathered while it is decided, written in its transaction, told to callbacks once it is committed.
// What of them is wanted: by the topic, where the workflow says so or, where it says nothing, the application does; by
// callbacks, everything.
import { assert } from '../base/assert.ts'
import type { Logger } from '../base/logger.ts'
import type { Workflow } from '../definition/workflow.ts'
import type { Event } from '../engine/event.ts'
import { instanceOf, isTold, updateOf } from '../records/update.ts'
import type { OnUpdate, Update } from './faces/update-face.ts'
import type { Staging } from './staging.ts'

/** Of a worker. */
export interface UpdatesOptions {
  /** Whether workflows that do not say are told of in the updates' topic. */
  readonly updates: boolean
  /** Told in this process of every update, whatever goes to the topic. */
  readonly onUpdate?: readonly OnUpdate[]
}

/** Of a partition. */
export interface UpdateRules {
  /** For workflows that say nothing. */
  readonly byDefault: boolean
  /** Somebody wants to be told in this process. */
  readonly isHeard: boolean
}

interface Surroundings {
  readonly app: string
  readonly updates: UpdateRules
  readonly definitions: {
    readonly catalogue: { find(version: string): Workflow | undefined; readonly hasUpdates: boolean }
  }
}

/** Of the next batch; undefined: nobody wants any, and nothing is looked at. @param isHeldBack the topic refused one */
export function updatesFor(given: Surroundings, isHeldBack: boolean): BatchUpdates | undefined {
  const { byDefault, isHeard } = given.updates
  const areWanted = byDefault || isHeard || given.definitions.catalogue.hasUpdates
  return areWanted ? new BatchUpdates(given, isHeldBack) : undefined
}

export class BatchUpdates {
  /** For callbacks: of all workflows. */
  readonly heard: Update[] = []
  /** For the topic. */
  readonly written: { readonly instanceId: string; readonly update: string }[] = []
  /** Those that the topic should have had. */
  heldBack = 0
  readonly #given: Surroundings
  readonly #isHeldBack: boolean

  constructor(given: Surroundings, isHeldBack: boolean) {
    this.#given = given
    this.#isHeldBack = isHeldBack
  }

  /** An event was applied. */
  note(event: Event, state: Staging): void {
    if (!isTold(event)) return
    const { app, definitions } = this.#given
    const { byDefault, isHeard } = this.#given.updates
    const instanceId = instanceOf(event)
    const row = state.instances.expect(instanceId)
    const workflow = definitions.catalogue.find(row.version)
    assert(workflow !== undefined, 'E1: the version of an instance is known')
    const isWanted = workflow.updates ?? byDefault
    if (!isWanted && !isHeard) return
    const update = updateOf(event, { app, row, workflow, tables: state })
    if (update === undefined) return
    if (isHeard) this.heard.push(JSON.parse(update))
    if (!isWanted) return
    if (this.#isHeldBack) this.heldBack += 1
    else this.written.push({ instanceId, update })
  }
}

/** Tells callbacks, in order. What they throw, or reject with, is theirs: it is logged. */
export function tellUpdates(updates: readonly Update[], callbacks: readonly OnUpdate[], logger: Logger): void {
  const failed = (update: Update, error: unknown): void =>
    logger.error({ update: update.id, error: String(error) }, 'a callback for updates failed')
  for (const update of updates) {
    for (const callback of callbacks) {
      try {
        const answer = callback(update)
        if (answer instanceof Promise) answer.catch((error: unknown) => failed(update, error))
      } catch (error) {
        failed(update, error)
      }
    }
  }
}
