// What a task may have whatever its type: a condition, variables that it writes, what becomes of it when it fails or takes
// too long.
import type { Json } from '../../../src/base/json.ts'
import type { Random } from '../random.ts'
import type { Draft } from './draft.ts'

type Keys = { readonly [key: string]: Json }

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
  { fails = false, hasSet = false, isEnd = false, set = { count: '${ vars.count + 1 }' } }: Nature = {},
): Keys {
  const { random } = draft
  return {
    ...maybe(random, isEnd ? 0.8 : 0.12, 'when', draft.condition()),
    ...maybe(random, hasSet || isEnd ? 0 : 0.25, 'set', set),
    ...maybe(random, fails ? 0.9 : 0.25, 'onFailure', drawOnFailure(random)),
    ...maybe(random, fails ? 0.3 : 0.1, 'retry', { maxAttempts: 2, initialInterval: '500ms' }),
    ...bound(random),
  }
}

const drawOnFailure = (random: Random): string => random.pick(['skip', 'skip', 'skip', 'fail', 'incident'])

/** How long it may take with all its attempts. */
export function bound(random: Random): Keys {
  if (!random.chance(0.08)) return {}
  const maxDuration = random.pick(['500ms', '2s', '5s', '15s'])
  return { maxDuration, ...maybe(random, 0.6, 'onMaxDuration', random.pick(['skip', 'skip', 'fail'])) }
}

export const maybe = (random: Random, chance: number, key: string, value: Json): Keys =>
  random.chance(chance) ? { [key]: value } : {}
