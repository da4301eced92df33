// What is typed. A command loads what it needs when it runs: one that asks a worker over HTTP is done before a worker's
// own code, with its adapters and libraries, would have been loaded.
import { tuneCollector } from './adapters/system/collector.ts'
import { processSurroundings } from './cli/process-surroundings.ts'
import { createProgram } from './cli/program.ts'

/** Runs the command line; resolves with the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  tuneCollector()
  // Timers of the clock keep no process alive, and a start that waits for Kafka has nothing else that does.
  const alive = setInterval(() => {}, 2 ** 30)
  try {
    return await createProgram(
      processSurroundings({
        startWorker: async (config, options) => (await import('./composition.ts')).startWorker(config, options),
        createTopics: async (config) => (await import('./composition.ts')).createTopics(config),
        inspectTopics: async (config) => (await import('./composition.ts')).inspectTopics(config),
        measure: async (request) => (await import('./bench/measure.ts')).measure(request),
        loadHandlers: async (directory) => (await import('./handlers/registry.ts')).loadHandlers(directory),
      }),
    ).run(argv)
  } finally {
    clearInterval(alive)
  }
}
