// The command line with everything around it faked: what is typed, what was printed, which signals come.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createProgram, type Surroundings } from '../../src/cli/program.ts'
import type { StopSignal } from '../../src/cli/surroundings.ts'

export interface Typed {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandLine {
  /** A directory of its own, removed with the test. */
  readonly directory: string
  /** What was printed so far, by the command that runs. */
  readonly stdout: () => string
  /** The codes that `exitNow` was called with. */
  readonly exits: readonly number[]
  /** Whether a command listens to signals. */
  readonly hasSignalListeners: () => boolean
  readonly type: (...argv: readonly string[]) => Promise<Typed>
  readonly signal: (name: StopSignal) => void
}

/** A command line for one test; `given` replaces parts of its surroundings. */
export function commandLine(
  t: TestContext,
  given: Partial<Surroundings> & { readonly isTTY?: boolean } = {},
): CommandLine {
  const directory = mkdtempSync(join(tmpdir(), 'dw-cli-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const listeners = new Set<(signal: StopSignal) => void>()
  const exits: number[] = []
  let stdout = ''
  let stderr = ''
  const program = createProgram({
    startWorker: () => Promise.reject(new Error('this test starts no worker')),
    createTopics: () => Promise.reject(new Error('this test has no Kafka')),
    inspectTopics: () => Promise.reject(new Error('this test has no Kafka')),
    measure: () => Promise.resolve({ error: new Error('this test measures nothing') }),
    loadHandlers: () => Promise.resolve({ names: [], find: () => undefined }),
    stdin: nothing(),
    stdout: { write: (text) => (stdout += text), isTTY: given.isTTY === true },
    stderr: { write: (text) => (stderr += text), isTTY: given.isTTY === true },
    env: {},
    workingDirectory: directory,
    packageDirectory: fileURLToPath(new URL('../..', import.meta.url)),
    programName: 'dagger-worker',
    version: '1.2.3',
    onSignal(callback) {
      listeners.add(callback)
      return () => listeners.delete(callback)
    },
    exitNow: (code) => exits.push(code),
    ...given,
  })
  return {
    directory,
    exits,
    stdout: () => stdout,
    hasSignalListeners: () => listeners.size > 0,
    async type(...argv) {
      stdout = ''
      stderr = ''
      const code = await program.run(argv)
      return { code, stdout, stderr }
    },
    signal(name) {
      for (const listener of listeners) listener(name)
    },
  }
}

async function* nothing(): AsyncGenerator<string> {}
