// dagger-worker validate: what `start` would say about the files, without starting anything; and what only somebody who
// sees all of them can say: whether tasks fit the schemas of handlers and of workflows that they name.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { ConfigError, type Problem } from '../../base/errors.ts'
import type { CheckOptions } from '../../definition/check.ts'
import type { ExpectedValue } from '../../definition/fitting.ts'
import { readWorkflowPath, type WorkflowFile } from '../../definition/folder.ts'
import type { LoadedWorkflows } from '../../definition/parse.ts'
import { CommandFailure } from '../failure.ts'
import { createOutput, table, type Style } from '../output.ts'
import { counted, problemsText, shownFile } from '../problems.ts'
import type { Surroundings } from '../surroundings.ts'

interface ValidateFlags {
  readonly handlers?: string
  readonly json?: true
}

export function addValidate(program: Command, surroundings: Surroundings): void {
  program
    .command('validate')
    .argument('[paths...]', 'workflow files and directories (default: workflows)')
    .summary('check workflow files')
    .description(
      'Checks workflow files and reports every problem of every file, with its place. With --handlers the modules are\n' +
        'loaded, and what tasks give them is held against the `input` schemas that they export.',
    )
    .option('--handlers <dir>', 'directory of the handler modules; without it any well-formed task type is accepted')
    .option('--json', 'files, workflows, problems and warnings as one JSON document')
    .addHelpText('after', '\nExample:\n  dagger-worker validate ./workflows --handlers ./handlers')
    .action((paths: readonly string[], flags: ValidateFlags) => validate(paths, flags, surroundings))
}

async function validate(paths: readonly string[], flags: ValidateFlags, surroundings: Surroundings): Promise<void> {
  const { workingDirectory } = surroundings
  const output = createOutput(surroundings)
  const problems: Problem[] = []
  const files = new Map<string, WorkflowFile>()
  for (const path of paths.length > 0 ? paths : ['workflows']) {
    for (const file of await orProblems(readWorkflowPath(resolve(workingDirectory, path)), problems, []))
      files.set(file.file, file)
  }
  const options = flags.handlers === undefined ? {} : await handlersAt(flags.handlers, problems, surroundings)
  const { loadWorkflows } = await import('../../definition/parse.ts')
  const loaded = loadWorkflows([...files.values()], options)
  problems.push(...loaded.problems)

  if (flags.json === true) output.json(reportOf([...files.keys()], { ...loaded, problems }, workingDirectory))
  else
    for (const line of reportLines(files.size, { ...loaded, problems }, output.style, workingDirectory))
      output.line(line)
  if (problems.length > 0) throw new CommandFailure('')
  if (files.size === 0) {
    throw new CommandFailure(
      'No workflow files found: expected .yaml, .yml or .json whose names do not begin with "." or "_".',
    )
  }
}

type Checked = Pick<LoadedWorkflows, 'workflows' | 'problems' | 'warnings'>

/** For programs. Files are named as in the text: below the working directory relative to it. */
function reportOf(
  files: readonly string[],
  { workflows, problems, warnings }: Checked,
  workingDirectory: string,
): object {
  const flat = ({ code, message, place, path, suggestion }: Problem): object => ({
    code,
    message,
    ...(place === undefined ? {} : { ...place, file: shownFile(place.file, workingDirectory) }),
    ...(path === undefined ? {} : { path }),
    ...(suggestion === undefined ? {} : { suggestion }),
  })
  return {
    files: files.map((file) => shownFile(file, workingDirectory)),
    workflows: workflows.map(({ name, version }) => ({ name, version })),
    problems: problems.map(flat),
    warnings: warnings.map(flat),
  }
}

function* reportLines(
  files: number,
  { workflows, problems, warnings }: Checked,
  style: Style,
  workingDirectory: string,
): Generator<string> {
  if (problems.length > 0) yield `${problemsText(problems, style, workingDirectory)}\n`
  if (warnings.length > 0) yield `${problemsText(warnings, style, workingDirectory, 'warning')}\n`
  yield* table(
    workflows.map(({ version, start, schedules, tasks }) => [
      `${style.green('ok')}  ${version}`,
      counted(tasks.length, 'task'),
      startsText([...start.map(({ topic }) => topic), ...schedules.map(() => 'a schedule')]),
    ]),
  )
  const count = problems.length === 0 ? style.green('no problems') : style.red(counted(problems.length, 'problem'))
  const more = warnings.length === 0 ? '' : `, ${style.yellow(counted(warnings.length, 'warning'))}`
  yield `${counted(files, 'file')}, ${counted(workflows.length, 'workflow')}: ${count}${more}`
}

function startsText(starts: readonly string[]): string {
  return starts.length > 0 ? `starts on ${starts.join(', ')}` : 'starts by call'
}

/** What the checks are told of the handlers; the problems of the modules join the others. */
async function handlersAt(directory: string, problems: Problem[], surroundings: Surroundings): Promise<CheckOptions> {
  const loading = surroundings.loadHandlers(resolve(surroundings.workingDirectory, directory))
  const handlers = await orProblems(loading, problems, undefined)
  if (handlers === undefined) return {}
  const { ExpectedValue } = await import('../../definition/fitting.ts')
  const handlerInputs = new Map<string, ExpectedValue>()
  for (const name of handlers.names) {
    const input = handlers.find(name)?.input
    if (input !== undefined) handlerInputs.set(name, new ExpectedValue(input.schema))
  }
  return { handlers: handlers.names, handlerInputs }
}

/** What is promised; where it fails for a reason that the author can mend, its problems join the others. */
async function orProblems<Value, Fallback>(
  promised: Promise<Value>,
  problems: Problem[],
  fallback: Fallback,
): Promise<Value | Fallback> {
  try {
    return await promised
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.push(...error.problems)
    return fallback
  }
}
