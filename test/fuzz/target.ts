// What is fuzzed: a door of the program, what is thrown at it, and what has to become of it.
import type fc from 'fast-check'
import type { Cost } from './bounds.ts'

/** What an input led to. */
export interface Outcome {
  /** Classes it belongs to: "valid", "DW_SCHEMA", … Counted over a campaign. */
  readonly classes: readonly string[]
  /** What else must hold of it; not a part of what is measured. */
  verify?(): void | Promise<void>
}

/** Every input says what kind of hostility it is: a campaign in which one kind never occurred is void. */
export interface Attack {
  readonly kind: string
}

export interface Target<Input extends Attack> {
  readonly name: string
  /** Tried in full before anything is generated. */
  readonly corpus: readonly Input[]
  readonly arbitrary: fc.Arbitrary<Input>
  /** How many inputs one generated value stands for: records go through a worker by the hundred. */
  readonly inputsEach: number
  /** Classes of outcomes that have to occur, or the campaign is void. */
  readonly required: readonly string[]
  /** Kinds of inputs that have to occur. */
  readonly kinds: readonly string[]
  /** Where an input may cost more than `boundsOfAnInput`, and why. */
  boundsOf?(input: Input): Cost
  /** One input; this is what is measured. Whatever it throws is a violation. */
  run(input: Input): Outcome | Promise<Outcome>
}
