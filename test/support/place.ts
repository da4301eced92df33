// A place for expressions of an instance of which only its own row is at hand.
import assert from 'node:assert/strict'
import type { Workflow } from '../../src/definition/workflow.ts'
import type { Place } from '../../src/engine/roots.ts'
import type { BlockRow, InstanceRow } from '../../src/engine/state.ts'

const none = { find: () => undefined, expect: () => assert.fail('there is no such row at hand') }
const empty = {
  instances: none,
  blocks: none,
  undos: none,
  deferred: none,
  keys: none,
  queued: none,
  channels: none,
  crowd: none,
  kept: none,
  keptTotals: none,
  timers: none,
  work: none,
  schedules: none,
  answers: none,
  attributes: none,
}

/** Where expressions of the instance stand, by default in its root scope; `findBlock` gives the tasks beside its row. */
export const placeIn = (
  instance: InstanceRow,
  workflow: Workflow,
  node = 0,
  findBlock: (id: string) => BlockRow | undefined = none.find,
): Place => ({
  state: { ...empty, blocks: { ...none, find: findBlock } },
  instance,
  workflow,
  node,
})
