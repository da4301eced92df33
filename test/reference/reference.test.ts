// Random workflows mean the same to the engine and to a small interpreter that was written from the language page.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drive } from './drive.ts'
import { generate, type Program } from './generate.ts'
import { interpret } from './interpreter.ts'
import type { Outcome } from './language.ts'

const seeds = 2_000

test(`the engine does what the language page says: ${seeds} random workflows`, () => {
  for (let seed = 0; seed < seeds; seed++) compare(seed)
})

function compare(seed: number): void {
  const program = generate(seed)
  const engine = drive(program)
  const reference = interpret(program.doc, program.input, program.script)
  assert.deepEqual(comparable(engine), comparable(reference), storyOf(seed, program))
}

/** Tasks that have not begun go without saying. */
function comparable(outcome: Outcome): Outcome {
  const tasks = Object.entries(outcome.tasks).filter(([, status]) => status !== 'NOT_STARTED')
  return { ...outcome, tasks: Object.fromEntries(tasks.sort(([a], [b]) => (a < b ? -1 : 1))) }
}

function storyOf(seed: number, { doc, input, script }: Program): string {
  return `seed ${seed}\n${JSON.stringify(doc, undefined, 1)}\ninput ${JSON.stringify(input)}\n${JSON.stringify(script.arrivals)}`
}
