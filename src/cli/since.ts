// Times as people give them: a time, or how long ago.
import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../definition/duration.ts'
import { parseTime, timeText } from '../definition/time.ts'

/** RFC 3339 of a time, or of so long ago, for an option. */
export function parseSince(text: string): string {
  const agoMs = parseDuration(text)
  const ms = agoMs === undefined ? parseTime(text) : Date.now() - agoMs
  if (ms === undefined)
    throw new InvalidArgumentError('Expected a duration such as 24h, or a time such as 2030-01-31T06:00:00Z.')
  return timeText(ms)
}
