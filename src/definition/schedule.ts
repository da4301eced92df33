// When a schedule is due: a cron text in a time zone. Pure: it is asked for the time after a given one, and keeps no clock.
//
// Five fields, or six that begin with seconds, or a name such as @daily. A time that the change to summer time leaves out
// comes right after it, one that the change back repeats comes once; of what is due every so often (a list, a step, a
// star in seconds, minutes or hours) times that are left out are left out, and repeated ones come twice.
import { Cron } from 'croner'

/** What is wrong with a cron text or a time zone, in words. */
export class ScheduleError extends Error {
  readonly code: 'DW_CRON' | 'DW_TIMEZONE'
  constructor(code: ScheduleError['code'], message: string) {
    super(message)
    this.code = code
  }
}

export interface Schedule {
  /** The first time after this one, both in milliseconds since 1970; undefined: there is none. */
  next(afterMs: number): number | undefined
}

const example = '0 6 * * MON-FRI'
const textLengthMax = 200

/** @throws {ScheduleError} */
export function compileSchedule(text: string, timezone: string): Schedule {
  if (!isZone(timezone))
    throw new ScheduleError(
      'DW_TIMEZONE',
      `expected the name of a time zone such as Europe/Paris, found ${JSON.stringify(timezone)}`,
    )
  const expected = `expected a cron expression such as ${example}, found ${JSON.stringify(text.slice(0, textLengthMax))}`
  // The library takes a time for a schedule that is due once.
  if (text.length > textLengthMax || /^\s*\d+-\d+-/.test(text)) throw new ScheduleError('DW_CRON', expected)
  let cron: Cron
  try {
    cron = new Cron(text, { mode: '5-or-6-parts', timezone, paused: true })
  } catch (error) {
    throw new ScheduleError('DW_CRON', `${expected}: ${reasonOf(error)}`)
  }
  const next = (afterMs: number): number | undefined => cron.nextRun(new Date(afterMs))?.getTime()
  if (next(0) === undefined) throw new ScheduleError('DW_CRON', `${expected}: it is never due`)
  return { next }
}

/** IANA names only: an offset is no zone, it knows no summer time. */
function isZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** The library's words without its own names in them. */
function reasonOf(error: unknown): string {
  const words = (error instanceof Error ? error.message : String(error)).replace(/^\w+: /, '').replace(/\.$/, '')
  return words.slice(0, 1).toLowerCase() + words.slice(1)
}
