// The real outside: this process. main.ts adds what is composed beside the command line.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Surroundings } from './surroundings.ts'

// The same two steps up from src/cli and from dist/cli.
const packageDirectory = fileURLToPath(new URL('../..', import.meta.url))
const stopSignals = ['SIGINT', 'SIGTERM'] as const

/** The surroundings of a command that was typed. A reader of stdout that goes away (`| head`) ends the process quietly. */
export function processSurroundings(
  composed: Pick<Surroundings, 'startWorker' | 'createTopics' | 'inspectTopics' | 'measure' | 'loadHandlers'>,
): Surroundings {
  const { version }: { version: string } = JSON.parse(readFileSync(`${packageDirectory}/package.json`, 'utf8'))
  // Else it is a checkout, or a dependency run by npm: npx finds it there, and Node 24 with it where that is a dependency.
  const isOnPath = basename(process.argv[1] ?? '') === 'dagger-worker' && process.env['npm_command'] === undefined
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  return {
    ...composed,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    workingDirectory: process.cwd(),
    packageDirectory,
    programName: isOnPath ? 'dagger-worker' : 'npx dagger-worker',
    version,
    onSignal(callback) {
      for (const signal of stopSignals) process.on(signal, callback)
      return () => {
        for (const signal of stopSignals) process.off(signal, callback)
      }
    },
    exitNow: (code) => process.exit(code),
  }
}
