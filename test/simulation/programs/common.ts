// What a task may have whatever its type: a condition, variables that it writes, what becomes of it when it fails or takes
// too long.
import type { Random } from '../random.ts'
import { bound, maybe, type Keys } from './bounds.ts'
import type { Draft } from './draft.ts'
import { drawLeaf } from './leaves.ts'

export interface Nature {
  /** It will fail now and then, and mostly its author has thought of that. */
  readonly fails?: boolean
  readonly hasSet?: boolean
  readonly set?: Keys
  /** It ends the instance: nothing comes after it. */
  readonly isEnd?: boolean
}

export function common(
  draft: Draft,
  name: string,
  { fails = false, hasSet = false, isEnd = false, set = { count: '${ vars.count + 1 }' } }: Nature = {},
): Keys {
  const { random } = draft
  return {
    ...maybe(random, isEnd ? 0.8 : 0.12, 'when', draft.condition()),
    ...maybe(random, hasSet || isEnd ? 0 : 0.25, 'set', set),
    ...maybe(random, fails ? 0.9 : 0.25, 'onFailure', drawOnFailure(random)),
    ...maybe(random, fails ? 0.3 : 0.1, 'retry', { maxAttempts: 2, initialInterval: '500ms' }),
    ...bound(random),
    ...(isEnd ? {} : maybe(random, 0.08, 'monitor', drawMonitor(draft, name))),
    ...(isEnd ? {} : maybe(random, 0.15, 'compensate', drawLeaf(draft, `${name}-undo`))),
  }
}

/** Somebody is told of it, and it goes on. */
export function drawMonitor(draft: Draft, name: string): Keys {
  const completeBy = draft.random.pick(['500ms', '2s', '5s', '${ input.grace }', "${ now + duration('3s') }"])
  // eslint-disable-next-line unicorn/no-thenable -- the language's own word
  return { completeBy, then: drawLeaf(draft, `${name}-late`) }
}

const drawOnFailure = (random: Random): string => random.pick(['skip', 'skip', 'skip', 'fail', 'incident'])
