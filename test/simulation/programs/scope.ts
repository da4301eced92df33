// A scope of a random workflow: tasks of the generators in a row, some of which begin with their scope, fork off earlier
// ones, or join them.
import type { Draft, TaskDocument } from './draft.ts'
import { note, taskGenerators } from './task-types.ts'

const depthMax = 3

/** Tasks for as long as the draft has some left; `depth` is 1 for the root scope. */
export function drawScope(draft: Draft, depth = 1): readonly TaskDocument[] {
  if (depth > depthMax) return [note(draft)]
  const { random } = draft
  const tasks: TaskDocument[] = []
  const size = depth === 1 ? Infinity : 1 + random.int(3)
  while (tasks.length === 0 || (draft.left > 0 && tasks.length < size)) {
    const [first, ...others] = drawTasks(draft, depth)
    tasks.push({ ...first!, ...drawOrder(random, tasks) }, ...others)
  }
  return tasks
}

/** The tasks of one generator, chosen by weight. */
function drawTasks(draft: Draft, depth: number): readonly TaskDocument[] {
  const generators = Object.values(taskGenerators).filter(({ isWide }) => isWide !== true || draft.left > 2)
  let at = draft.random.int(generators.reduce((sum, { weight }) => sum + weight, 0))
  const drawn = generators.find(({ weight }) => (at -= weight) < 0)!
  return drawn.draw(draft, { tasks: () => drawTasks(draft, depth), scope: () => drawScope(draft, depth + 1) })
}

/** After the one above it, at once, or after some that stand before it. */
function drawOrder(
  random: Draft['random'],
  before: readonly TaskDocument[],
): { readonly dependsOn?: readonly string[] } {
  if (before.length === 0 || random.chance(0.6)) return {}
  if (random.chance(0.4)) return { dependsOn: [] }
  const names = Array.from({ length: 1 + random.int(3) }, () => random.pick(before).name)
  return { dependsOn: [...new Set(names)] }
}
