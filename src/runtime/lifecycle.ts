// The life of one incarnation of a partition, as data. A cure that starts over makes a new incarnation.
import { assert } from '../base/assert.ts'

const next = {
  created: ['restoring', 'closed'],
  restoring: ['running', 'closed'],
  running: ['draining', 'closed'],
  draining: ['closed'],
  closed: [],
} as const satisfies { readonly [phase: string]: readonly string[] }

export type Phase = keyof typeof next

export class Lifecycle {
  #phase: Phase = 'created'

  get phase(): Phase {
    return this.#phase
  }

  /** @throws {InvariantViolation} The step is not in the drawing. */
  become(phase: Phase): void {
    const legal: readonly string[] = next[this.#phase]
    assert(legal.includes(phase), `L1: ${this.#phase} does not become ${phase}`)
    this.#phase = phase
  }
}
