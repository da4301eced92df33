// dagger-worker validate: what `start` would say about the files, without starting anything.
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { ConfigError, type Problem } from '../../base/errors.ts'
import { readWorkflowFiles, type WorkflowFile } from '../../definition/folder.ts'
import { loadWorkflows } from '../../definition/parse.ts'
import { CommandFailure } from '../failure.ts'
import { createOutput, table } from '../output.ts'
import { counted, problemsText } from '../problems.ts'
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
    .description('Checks workflow files and reports every problem of every file, with its place.')
    .option('--handlers <dir>', 'directory of the handler modules; without it any well-formed task type is accepted')
    .option('--json', 'files, workflows and problems as JSON')
    .addHelpText('after', '\nExample:\n  dagger-worker validate ./workflows --handlers ./handlers')
    .action((paths: readonly string[], flags: ValidateFlags) => validate(paths, flags, surroundings))
}

async function validate(paths: readonly string[], flags: ValidateFlags, surroundings: Surroundings): Promise<void> {
  const { workingDirectory } = surroundings
  const output = createOutput(surroundings)
  const problems: Problem[] = []
  const files = new Map<string, WorkflowFile>()
  for (const path of paths.length > 0 ? paths : ['workflows']) {
    for (const file of await orProblems(filesAt(resolve(workingDirectory, path)), problems, []))
      files.set(file.file, file)
  }
  const handlers =
    flags.handlers === undefined
      ? undefined
      : await orProblems(surroundings.loadHandlers(resolve(workingDirectory, flags.handlers)), problems, undefined)
  const loaded = loadWorkflows([...files.values()], handlers === undefined ? {} : { handlers: handlers.names })
  problems.push(...loaded.problems)

  if (flags.json === true) {
    const workflows = loaded.workflows.map(({ name, version }) => ({ name, version }))
    output.json({ files: [...files.keys()], workflows, problems })
  } else {
    if (problems.length > 0) output.line(`${problemsText(problems, output.style, workingDirectory)}\n`)
    const rows = loaded.workflows.map(({ version, start, tasks }) => [
      `${output.style.green('ok')}  ${version}`,
      counted(tasks.length, 'task'),
      start.length > 0 ? `starts on ${start.map(({ topic }) => topic).join(', ')}` : 'starts by call',
    ])
    for (const line of table(rows)) output.line(line)
    const count =
      problems.length === 0 ? output.style.green('no problems') : output.style.red(counted(problems.length, 'problem'))
    output.line(`${counted(files.size, 'file')}, ${counted(loaded.workflows.length, 'workflow')}: ${count}`)
  }
  if (problems.length > 0) throw new CommandFailure('')
  if (files.size === 0) {
    throw new CommandFailure(
      'No workflow files found: expected .yaml, .yml or .json whose names do not begin with "." or "_".',
    )
  }
}

async function filesAt(path: string): Promise<readonly WorkflowFile[]> {
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
  return isFile ? [{ file: path, text: await readFile(path, 'utf8') }] : readWorkflowFiles(path)
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
