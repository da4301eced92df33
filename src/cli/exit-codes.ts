// Every exit code of the command line. No other file knows a number.

export const exitCodes = {
  ok: 0,
  /** What was asked for did not succeed: an instance failed or has an incident, a file has problems, a call was refused. */
  failed: 1,
  /** Flags, arguments, environment or configuration cannot be used. */
  usage: 2,
  /** No worker answers at the address, or it cannot answer now. Trying again may help. */
  unavailable: 3,
  /** start: it had to end before all was finished (`stopTimeout`). Nothing is lost: what was not committed is done again. */
  unfinished: 4,
  /** Ended by Ctrl-C, as shells count it. */
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** For `--help`. */
export const exitCodesHelp = `
Exit codes:
  0    done; with run: the instance completed; with status: all is well
  1    the instance failed or has an incident; a file has problems; the worker refused the call; with status: something
       needs a person
  2    flags, environment or configuration cannot be used
  3    no worker answers, or it cannot answer now: try again
  4    with start: it had to end before all was finished; nothing is lost
  130  ended by Ctrl-C`
