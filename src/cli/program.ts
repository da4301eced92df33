// The command line: which commands there are, and how every one of them ends.
//
// A command does its work or throws; this is the one place where what was thrown becomes text on stderr and an exit
// code. Problems of files and configuration come all at once, a bug of ours comes with its stack.
import { Command, CommanderError } from 'commander'
import { ConfigError, DefinitionError } from '../base/errors.ts'
import { addBench } from './commands/bench.ts'
import { addCompletion } from './commands/completion.ts'
import { addConsume } from './commands/consume.ts'
import { addDeadLetter } from './commands/dead-letter.ts'
import { addDemo } from './commands/demo.ts'
import { addExplain } from './commands/explain.ts'
import { addGraph } from './commands/graph.ts'
import { addInstances } from './commands/instances.ts'
import { addLists } from './commands/lists.ts'
import { addOperations } from './commands/operations.ts'
import { addProduce } from './commands/produce.ts'
import { addRun } from './commands/run.ts'
import { addStart } from './commands/start.ts'
import { addStatus } from './commands/status.ts'
import { addToken } from './commands/token.ts'
import { addTopics } from './commands/topics.ts'
import { addValidate } from './commands/validate.ts'
import { addWorkers } from './commands/workers.ts'
import { addWorkflows } from './commands/workflows.ts'
import { exitCodes, exitCodesHelp } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
import { hasColours, styleOf } from './output.ts'
import { counted, problemsText } from './problems.ts'
import type { Surroundings } from './surroundings.ts'

export type { RunningWorker, StartOptions, StartWorker, Surroundings, TextSink } from './surroundings.ts'

export interface Program {
  /** Runs one command; the arguments are those after the program's name. Resolves with the exit code, never rejects. */
  run(argv: readonly string[]): Promise<number>
}

/** The command line in these surroundings. */
export function createProgram(surroundings: Surroundings): Program {
  return {
    async run(argv) {
      try {
        await createCommand(surroundings).parseAsync([...argv], { from: 'user' })
        return exitCodes.ok
      } catch (error) {
        return explain(error, surroundings)
      }
    },
  }
}

function createCommand(surroundings: Surroundings): Command {
  const { stdout, stderr, env, version } = surroundings
  const program = new Command('dagger-worker')
    .description('A workflow engine for Kafka: YAML workflows, exactly once, one daemon, no database.')
    .version(version, '-v, --version', 'the version')
    .helpOption('-h, --help', 'this help')
    .helpCommand(false)
    // `workflows show` has a --version of its own.
    .enablePositionalOptions()
    .showHelpAfterError('Every command has an example: dagger-worker <command> --help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      getOutHasColors: () => hasColours(stdout, env),
      getErrHasColors: () => hasColours(stderr, env),
    })
    .addHelpText('after', exitCodesHelp)
    .addHelpText('after', '\nExample:\n  dagger-worker start --workflows ./workflows')
  addStart(program, surroundings)
  addValidate(program, surroundings)
  addGraph(program, surroundings)
  addRun(program, surroundings)
  addInstances(program, surroundings)
  addExplain(program, surroundings)
  addOperations(program, surroundings)
  addWorkflows(program, surroundings)
  addProduce(program, surroundings)
  addConsume(program, surroundings)
  addTopics(program, surroundings)
  addDeadLetter(program, surroundings)
  addWorkers(program, surroundings)
  addLists(program, surroundings)
  addStatus(program, surroundings)
  addToken(program, surroundings)
  addDemo(program, surroundings)
  addBench(program, surroundings)
  addCompletion(program, surroundings)
  return program
}

function explain(error: unknown, { stderr, env, workingDirectory }: Surroundings): number {
  const style = styleOf(hasColours(stderr, env))
  const say = (text: string): void => void stderr.write(`${text}\n`)
  if (error instanceof CommanderError) {
    // commander has said it already; --help and --version are "errors" with code 0.
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
  if (error instanceof CommandFailure) {
    if (error.message !== '') say(style.red('error: ') + error.message)
    return error.exitCode
  }
  if (error instanceof ConfigError || error instanceof DefinitionError) {
    say(problemsText(error.problems, style, workingDirectory))
    say(`\n${style.red('error: ')}${counted(error.problems.length, 'problem')}, nothing was started.`)
    return error instanceof ConfigError ? exitCodes.usage : exitCodes.failed
  }
  say(style.red('error: ') + (error instanceof Error ? (error.stack ?? error.message) : String(error)))
  return exitCodes.failed
}
