// Keys that come now and then, and how long a task may take.
import type { Json } from '../../../src/base/json.ts'
import type { Random } from '../random.ts'

export type Keys = { readonly [key: string]: Json }

/** How long it may take with all its attempts. */
export function bound(random: Random): Keys {
  if (!random.chance(0.08)) return {}
  const maxDuration = random.pick(['500ms', '2s', '5s', '15s'])
  return { maxDuration, ...maybe(random, 0.6, 'onMaxDuration', random.pick(['skip', 'skip', 'fail'])) }
}

export const maybe = (random: Random, chance: number, key: string, value: Json): Keys =>
  random.chance(chance) ? { [key]: value } : {}
