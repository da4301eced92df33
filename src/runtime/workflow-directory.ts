// The workflow directory of a worker: read at start and whenever something in it changes. A file with problems is
// reported and the versions that it had before go on serving; a file that is gone takes its starts with it.
import { relative } from 'node:path'
import type { Problem } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { readWorkflowFiles } from '../definition/folder.ts'
import { loadWorkflows } from '../definition/parse.ts'
import type { Workflow } from '../definition/workflow.ts'

export interface WorkflowDirectoryOptions {
  readonly directory: string
  readonly handlers: readonly string[]
  readonly logger: Logger
  /** Resolves to why it was not published. */
  readonly publish: (
    files: ReadonlyMap<string, readonly Workflow[] | 'broken'>,
    problems: readonly Problem[],
  ) => Promise<readonly Problem[]>
}

export class WorkflowDirectory {
  readonly #options: WorkflowDirectoryOptions
  #running: Promise<void> = Promise.resolve()
  #lastReport = ''

  constructor(options: WorkflowDirectoryOptions) {
    this.#options = options
  }

  /** Reads and publishes it, after any reading that is under way. */
  reload(): Promise<void> {
    this.#running = this.#running.then(() => this.#load())
    return this.#running
  }

  async #load(): Promise<void> {
    const { directory, handlers, publish, logger } = this.#options
    try {
      const { byFile, problems, workflows } = loadWorkflows(await readWorkflowFiles(directory), { handlers })
      // Names below the directory: the same wherever the directory is mounted.
      const files = new Map([...byFile].map(([file, found]) => [relative(directory, file), found] as const))
      const refusals = await publish(files, problems)
      this.#report([...problems, ...refusals])
      logger.info(
        { workflows: workflows.map(({ version }) => version), problems: problems.length },
        'workflow directory read',
      )
    } catch (error) {
      // The directory is away for the moment, or the log is: what was published goes on serving.
      logger.error(
        { error: String(error) },
        `the workflow directory could not be published: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }

  #report(problems: readonly Problem[]): void {
    const report = problems
      .map(
        ({ message, place, frame }) =>
          `${place === undefined ? '' : `${place.file}:${place.line}:${place.column} `}${message}${frame === undefined ? '' : `\n${frame}`}`,
      )
      .join('\n')
    if (report !== '' && report !== this.#lastReport) {
      this.#options.logger.error(
        { problems: problems.length },
        `workflow files with problems; the versions before go on serving\n${report}`,
      )
    }
    this.#lastReport = report
  }
}
