// pino to stderr: stdout belongs to what a command answers. For people on a terminal, JSON for everything else.
import { pino } from 'pino'
import pretty from 'pino-pretty'
import { wantsColours } from '../../base/colours.ts'
import type { Logger } from '../../base/logger.ts'

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** True: one JSON object a line, with RFC 3339 times; false: coloured lines for a person. */
  readonly isJson: boolean
  /** Where the lines go, as a file descriptor; 2 is stderr. */
  readonly descriptor?: number
  /** Is given every line as well, as JSON. */
  readonly alsoTo?: (line: string) => void
}

/** A logger whose lines are written before the call returns: the last one before a crash is there. */
export function createLogger(options: LogOptions): Logger {
  const { descriptor = 2, alsoTo } = options
  const destination = options.isJson
    ? pino.destination({ dest: descriptor, sync: true })
    : pretty({
        destination: descriptor,
        sync: true,
        colorize: wantsColours(true, process.env),
        translateTime: 'SYS:HH:MM:ss.l',
        ignore: 'pid,hostname',
      })
  return pino(
    {
      level: options.level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    alsoTo === undefined
      ? destination
      : pino.multistream([
          { level: 'debug', stream: destination },
          { level: 'debug', stream: { write: alsoTo } },
        ]),
  )
}
