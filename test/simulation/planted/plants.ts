// The planted bugs: traps that others fell into (reliability.md), and mistakes of our own. Each is one that a review
// could miss, and changes what happens: a mistake that another rule makes up for is none.
import type { Plant } from './plant.ts'
import { commitPlants } from './plants/commit.ts'
import { correlationPlants } from './plants/correlation.ts'
import { handlerPlants } from './plants/handlers.ts'
import { inputPlants } from './plants/inputs.ts'
import { instancePlants } from './plants/instances.ts'
import { ownershipPlants } from './plants/ownership.ts'
import { restorePlants } from './plants/restore.ts'
import { startPlants } from './plants/starts.ts'
import { taskPlants } from './plants/tasks.ts'
import { updatePlants } from './plants/updates.ts'

export const plants: readonly Plant[] = [
  ...commitPlants,
  ...updatePlants,
  ...ownershipPlants,
  ...restorePlants,
  ...inputPlants,
  ...correlationPlants,
  ...instancePlants,
  ...startPlants,
  ...taskPlants,
  ...handlerPlants,
]

/** @throws {Error} There is no plant of this name. */
export function expectPlant(name: string): Plant {
  const found = plants.find((plant) => plant.name === name)
  if (found === undefined) throw new Error(`no bug is called '${name}'`)
  return found
}
