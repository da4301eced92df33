// A campaign against one target: the corpus in full, then generated inputs in batches, each with a seed of its own.
//
//   F1. Nothing is thrown but what the target lets through.        F2. No built-in prototype changes.
//   F3. No input costs more than bounds.ts allows, three times in a row.
//   F4. Every required class of outcomes and every kind of input occurred, or the campaign is void.
import fc from 'fast-check'
import { boundsOfAnInput, confirm, isWithin, measure } from './bounds.ts'
import type { Cost } from './bounds.ts'
import { Prototypes } from './prototypes.ts'
import type { Attack, Target } from './target.ts'

export interface Violation {
  readonly target: string
  /** The seed of its batch and the path of the shrunk input in it; absent: it is of the corpus. */
  readonly seed?: number
  readonly path?: string
  readonly input: string
  readonly reason: string
}

export interface FuzzResult {
  readonly runs: number
  /** How often each kind of input occurred. */
  readonly faults: { readonly [kind: string]: number }
  readonly violations: readonly Violation[]
  /** How often each class of outcomes occurred. */
  readonly coverage: { readonly [outcome: string]: number }
  /** Required, and never seen. */
  readonly missing: readonly string[]
  readonly slowestMs: number
  readonly largestBytes: number
}

export interface FuzzOptions {
  readonly runs: number
  readonly seed: number
  /** Replays this path of the seed's batch, and nothing else. */
  readonly path?: string
  readonly bounds?: Cost
  onProgress?(runs: number, violations: number): void
}

/** Inputs between two looks at everything that every object inherits from. */
const batchInputs = 1_000
const violationsMax = 10
const inputCharactersMax = 2_000
/** Shrinking an input that hangs would hang as often as it is tried. */
const shrinkingMs = 20_000

/** Throws `runs` inputs at a target. */
export async function fuzz<Input extends Attack>(target: Target<Input>, options: FuzzOptions): Promise<FuzzResult> {
  const campaign = new Campaign(target, options.bounds ?? boundsOfAnInput)
  if (options.path !== undefined) {
    await campaign.batch(options.seed, batchInputs, options.path)
    return campaign.result()
  }
  await campaign.corpus()
  for (let seed = options.seed; campaign.runs < options.runs && campaign.violations.length < violationsMax; seed++) {
    await campaign.batch(seed, Math.min(batchInputs, options.runs - campaign.runs))
    options.onProgress?.(campaign.runs, campaign.violations.length)
  }
  return campaign.result()
}

class Campaign<Input extends Attack> {
  runs = 0
  readonly violations: Violation[] = []
  readonly #target: Target<Input>
  readonly #bounds: Cost
  readonly #kinds = new Map<string, number>()
  readonly #classes = new Map<string, number>()
  readonly #prototypes = new Prototypes()
  #slowestMs = 0
  #largestBytes = 0

  constructor(target: Target<Input>, bounds: Cost) {
    this.#target = target
    this.#bounds = bounds
  }

  /** Hand-written inputs; they are not counted as runs. */
  async corpus(): Promise<void> {
    for (const input of this.#target.corpus) {
      if (this.violations.length >= violationsMax) return
      try {
        this.#count(input, await this.#try(input))
        this.#prototypes.check()
      } catch (error) {
        this.#violated({ input: textOf(input), reason: reasonOf(error) })
      }
    }
  }

  async batch(seed: number, inputs: number, path?: string): Promise<void> {
    const { inputsEach, arbitrary } = this.#target
    let failedAtMs: number | undefined
    const property = fc.asyncProperty(arbitrary, async (input) => {
      if (failedAtMs !== undefined && performance.now() - failedAtMs > shrinkingMs) return
      try {
        const classes = await this.#try(input)
        // What shrinking tries is not of the campaign.
        if (failedAtMs === undefined) this.#count(input, classes)
      } catch (error) {
        failedAtMs ??= performance.now()
        throw error
      }
      if (failedAtMs === undefined) this.runs += inputsEach
    })
    const numRuns = Math.max(1, Math.ceil(inputs / inputsEach))
    const details = await fc.check(property, { seed, numRuns, ...(path === undefined ? {} : { path }) })
    if (details.failed) {
      const { counterexample, counterexamplePath, errorInstance } = details
      const input = textOf(counterexample?.[0])
      const at = { seed, ...(counterexamplePath === null ? {} : { path: counterexamplePath }) }
      this.#violated({ ...at, input, reason: reasonOf(errorInstance) })
      // The rest of the batch was not run: it counts, or one bug would make a campaign run for ever.
      this.runs += inputsEach
    }
    try {
      this.#prototypes.check() // F2
    } catch (error) {
      this.#violated({ seed, input: 'one of this batch', reason: reasonOf(error) })
    }
  }

  result(): FuzzResult {
    const { required, kinds } = this.#target
    const isSeen = (name: string): boolean => this.#classes.has(name) || this.#kinds.has(name)
    return {
      runs: this.runs,
      faults: sorted(this.#kinds),
      violations: this.violations,
      coverage: sorted(this.#classes),
      missing: [...required, ...kinds].filter((name) => !isSeen(name)), // F4
      slowestMs: Math.round(this.#slowestMs * 10) / 10,
      largestBytes: this.#largestBytes,
    }
  }

  async #try(input: Input): Promise<readonly string[]> {
    const run = () => this.#target.run(input)
    const { result, cost } = await measure(run) // F1
    this.#prototypes.checkKeys()
    await result.verify?.()
    const bounds = this.#target.boundsOf?.(input) ?? this.#bounds
    if (isWithin(cost, bounds)) {
      this.#slowestMs = Math.max(this.#slowestMs, cost.cpuMs)
      this.#largestBytes = Math.max(this.#largestBytes, cost.heapBytes)
    } else {
      await confirm(run, bounds) // F3
    }
    return result.classes
  }

  #count(input: Input, classes: readonly string[]): void {
    count(this.#kinds, input.kind)
    for (const name of classes) count(this.#classes, name)
  }

  #violated(violation: Omit<Violation, 'target'>): void {
    this.violations.push({ target: this.#target.name, ...violation })
  }
}

function textOf(input: unknown): string {
  return fc.stringify(input).slice(0, inputCharactersMax)
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 6).join('\n') : String(error)
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function sorted(counts: ReadonlyMap<string, number>): { readonly [name: string]: number } {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}
