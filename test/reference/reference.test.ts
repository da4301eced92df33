// Random workflows mean the same to the engine and to a small interpreter that was written from the language page.
//
// Where the two differ, the page decides.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { drive } from './drive.ts'
import { generate } from './generate.ts'
import { interpret } from './interpreter.ts'
import type { Outcome, Program, Value } from './language.ts'
import { flips } from './simulation.ts'

const seeds = 2_000
/** A wrong rule is to be found within so many. */
const seedsToFind = 200

/** What is to be among the workflows: keys, and values of those that choose. */
const words = [
  ...['set', 'h', 'http', 'kafka-command', 'decision', 'process', 'parallel', 'for-each', 'fail', 'stop'].map(typed),
  ...['trigger', 'signal', 'kafka-listener', 'interval', 'workflow', 'undo', 'late'].map(typed),
  ...['dependsOn', 'when', 'set', 'retry', 'maxDuration', 'monitor', 'compensate', 'timeout', 'output', 'vars'],
  ...['code', 'next', 'default', 'concurrency', 'deadline', 'mode: all', 'wait: false'],
  ...['join: all', 'join: first', 'join: any', 'join: number', 'onItemFailure: fail', 'onItemFailure: continue'],
  ...['onFailure: incident', 'onFailure: fail', 'onFailure: skip', 'do: incident', 'do: fail', 'do: skip'],
  ...['onMaxDuration: fail', 'onMaxDuration: skip', 'onDeadline: complete', 'onDeadline: fail', 'onDeadline: skip'],
  ...['workflow: works', 'workflow: stops', 'workflow: fails'],
]
const codes = ['a', 'b', 'no-case', 'expression', 'timeout', 'max-duration', 'deadline', 'join', 'failed', 'stopped']

suite('random workflows', () => {
  const outcomes: Outcome[] = []
  const seen = new Set<string>()

  test(`${seeds} of them mean to the engine what the language page says`, () => {
    for (let seed = 0; seed < seeds; seed++) {
      const program = generate(seed)
      const engine = comparable(drive(program))
      assert.deepEqual(engine, comparable(interpret(program)), storyOf(seed, program))
      outcomes.push(engine)
      noteWords(JSON.parse(JSON.stringify(program.doc)), seen)
    }
  })

  test('every type, key and choice that the generator knows is among them, and every status that they can end in', () => {
    assert.deepEqual(
      words.filter((word) => !seen.has(word)),
      [],
    )
    assert.deepEqual(
      new Set(outcomes.map(({ status }) => status)),
      new Set(['EXECUTING', 'COMPENSATING', 'COMPLETED', 'FAILED', 'STOPPED']),
    )
    assert.deepEqual(
      new Set(outcomes.flatMap(({ tasks }) => Object.values(tasks))),
      new Set(['EXECUTING', 'COMPLETED', 'FAILED', 'SKIPPED', 'STOPPED', 'INCIDENT']),
    )
    const errors = new Set(outcomes.map(({ code }) => code))
    for (const code of codes) assert.ok(errors.has(code), `an instance ends with ${code}`)
  })

  const engines = new Map<number, Outcome>()
  const engineOf = (seed: number, program: Program): Outcome => {
    const outcome = outcomes[seed] ?? engines.get(seed) ?? comparable(drive(program))
    engines.set(seed, outcome)
    return outcome
  }
  for (const flip of flips) {
    test(`an interpreter that gets one rule wrong (${flip}) is found within ${seedsToFind}`, () => {
      for (let seed = 0; seed < seedsToFind; seed++) {
        const program = generate(seed)
        const wrong = comparable(interpret(program, flip))
        if (!isDeepStrictEqual(wrong, engineOf(seed, program))) return
      }
      assert.fail('no workflow tells the two apart')
    })
  }
})

function typed(type: string): string {
  return `type: ${type}`
}

function noteWords(value: Value, seen: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const each of value) noteWords(each, seen)
    return
  }
  for (const [key, each] of Object.entries(value)) {
    seen.add(key)
    if (typeof each === 'string' || typeof each === 'boolean') seen.add(`${key}: ${each}`)
    else if (typeof each === 'number') seen.add(`${key}: number`)
    else noteWords(each, seen)
  }
}

/** Of an item's task that is undone for several attempts of the whole, who came last is not compared. */
function comparable(outcome: Outcome): Outcome {
  const isClear = (name: string): boolean => !(name.includes('].') && name.endsWith('-compensate'))
  const tasks = Object.entries(outcome.tasks).filter(([name, status]) => status === 'INCIDENT' || isClear(name))
  return { ...outcome, tasks: Object.fromEntries(tasks.sort(([a], [b]) => (a < b ? -1 : 1))) }
}

function storyOf(seed: number, { doc, others, input, script }: Program): string {
  const parts = [
    ...[doc, ...others].map((each) => JSON.stringify(each, undefined, 1)),
    `input ${JSON.stringify(input)}`,
  ]
  return [`seed ${seed}`, ...parts, `arrivals ${JSON.stringify(script.arrivals)}`].join('\n')
}
