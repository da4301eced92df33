// What the task that started an instance as its child hears of it.
import { assert } from '../../base/assert.ts'
import type { ChildTold } from '../command.ts'
import type { Outcome } from '../outcome.ts'
import type { Parent } from '../state.ts'
import type { World } from '../world.ts'
import { partitionOfInstance } from './instance.ts'

/** To the partition of the parent, which its id names. */
export function tellParent(parent: Parent, told: ChildTold['told'], world: World, out: Outcome): void {
  const partition = partitionOfInstance(parent.instanceId)
  assert(partition !== undefined, 'C1: a parent is an instance of this engine')
  out.send(world, partition, { type: 'child.told', parent, told })
}

/** True for the same attempt of the same task. */
export const isSameParent = (one: Parent, other: Parent): boolean =>
  one.instanceId === other.instanceId && one.task === other.task && one.attempt === other.attempt
