// How a command ends when it does not end well: thrown anywhere below an action, printed and turned into an exit code
// by program.ts and nowhere else.
import { exitCodes, type ExitCode } from './exit-codes.ts'

/** The command has failed; the message is for a person and says what to do next. Empty: everything was printed already. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
  readonly exitCode: ExitCode
  constructor(message: string, exitCode: ExitCode = exitCodes.failed) {
    super(message)
    this.exitCode = exitCode
  }
}
