// Workflow files: whatever the text, it gives workflows or problems with codes and places inside the text, and nothing is
// thrown. What is accepted is the same version a second time and out of the log, and an instance of it can be started.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { errorCodes } from '../../src/base/codes.ts'
import type { Problem } from '../../src/base/errors.ts'
import { limits } from '../../src/base/limits.ts'
import { compileWorkflow, loadWorkflows } from '../../src/definition/parse.ts'
import type { LoadedWorkflows } from '../../src/definition/parse.ts'
import { boundsOfAnInput } from './bounds.ts'
import { hostileDocuments } from './hostile/documents.ts'
import { mutate } from './mutations.ts'
import { runWorkflows } from './run-workflows.ts'
import type { Attack, Target } from './target.ts'
import { workflow } from './workflow-arbitrary.ts'
import { damaged, rawText, textOf } from './yaml-text.ts'

interface FileAttack extends Attack {
  readonly kind: 'valid' | 'mutated' | 'damaged' | 'raw' | 'bomb'
  readonly text: string
  readonly isRun: boolean
}

const files = (kind: FileAttack['kind'], text: fc.Arbitrary<string>, runs: number): fc.Arbitrary<FileAttack> =>
  fc.record({ kind: fc.constant(kind), text, isRun: fc.nat(99).map((part) => part < runs) })

export const definitions: Target<FileAttack> = {
  name: 'definitions',
  // A thousand tasks are a minute's work for the engine's small world.
  corpus: hostileDocuments.map((text) => ({ kind: 'bomb', text, isRun: text.length < 4_096 })),
  arbitrary: fc.oneof(
    { weight: 2, arbitrary: files('valid', textOf(workflow), 10) },
    { weight: 5, arbitrary: files('mutated', textOf(mutate(workflow)), 20) },
    { weight: 4, arbitrary: files('damaged', damaged(textOf(workflow)), 20) },
    { weight: 2, arbitrary: files('raw', rawText, 20) },
  ),
  inputsEach: 1,
  required: [
    'valid',
    'ran',
    'DW_YAML',
    'DW_LIMIT',
    'DW_EMPTY',
    'DW_SCHEMA',
    'DW_UNKNOWN_KEY',
    'DW_MISSING_KEY',
    'DW_KEY_NOT_HERE',
    'DW_DURATION',
    'DW_TIME',
    'DW_CRON',
    'DW_TIMEZONE',
    'DW_EXPRESSION',
    'DW_UNKNOWN_ROOT',
    'DW_ROOT_NOT_HERE',
    'DW_UNKNOWN_TASK',
    'DW_UNKNOWN_VAR',
    'DW_UNKNOWN_FIELD',
    'DW_DUPLICATE_TASK',
    'DW_DUPLICATE_WORKFLOW',
    'DW_DUPLICATE_START',
    'DW_OUT_OF_SCOPE',
    'DW_NEXT_NOT_DEPENDENT',
    'DW_NO_CORRELATION',
    'DW_CYCLE',
    'DW_INPUT_SCHEMA',
  ],
  kinds: ['valid', 'mutated', 'damaged', 'raw', 'bomb'],
  boundsOf: ({ text }) => {
    // The reader of YAML takes milliseconds a KiB on text that is made to be slow. Files are few, and their operator's.
    const kib = Math.max(0, text.length / 1_024 - smallKib)
    return {
      cpuMs: boundsOfAnInput.cpuMs + kib * cpuMsOfAKib,
      heapBytes: boundsOfAnInput.heapBytes + kib * heapBytesOfAKib,
    }
  },
  run({ text, isRun }) {
    const loaded = load(text)
    const { workflows, problems } = loaded
    const isRunnable = isRun && workflows.length > 0
    return {
      classes: [
        ...(workflows.length > 0 ? ['valid'] : []),
        ...(isRunnable ? ['ran'] : []),
        ...new Set(problems.map(({ code }) => code)),
      ],
      verify() {
        checkProblems(loaded, text)
        if (workflows.length > 0) checkVersions(loaded, text)
        if (isRunnable) runWorkflows(text)
      },
    }
  },
}

const file = 'f.yaml'
const smallKib = 4
const cpuMsOfAKib = 15
const heapBytesOfAKib = 786_432

function load(text: string): LoadedWorkflows {
  return loadWorkflows([{ file, text }])
}

function checkProblems({ workflows, problems, byFile }: LoadedWorkflows, text: string): void {
  assert.equal(workflows.length > 0, problems.length === 0, 'workflows or problems')
  assert.equal(byFile.get(file) === 'broken', problems.length > 0)
  assert.ok(problems.length <= limits.problemsMax)
  const lines = text.split('\n')
  for (const problem of problems) checkPlace(problem, lines)
}

function checkPlace({ code, message, place }: Problem, lines: readonly string[]): void {
  assert.ok(Object.hasOwn(errorCodes, code), `${code} is no code`)
  assert.ok(message.length > 0)
  assert.ok(place !== undefined && place.file === file, `${code} has no place`)
  const line = lines[place.line - 1]
  assert.ok(line !== undefined, `${code} is at line ${place.line} of ${lines.length}`)
  assert.ok(
    place.column >= 1 && place.column <= line.length + 1,
    `${code} is at column ${place.column} of ${line.length}`,
  )
}

function checkVersions({ workflows }: LoadedWorkflows, text: string): void {
  const versions = workflows.map(({ version }) => version)
  assert.deepEqual(
    load(text).workflows.map(({ version }) => version),
    versions,
    'the same text is another version the second time',
  )
  const compiled = workflows.map(({ source }) => compileWorkflow(source))
  assert.deepEqual(
    compiled.map(({ version }) => version),
    versions,
    'the version is another one as it comes out of the log',
  )
  assert.deepEqual(
    compiled.map(({ source }) => source),
    workflows.map(({ source }) => source),
  )
}
