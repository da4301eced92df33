// What says which instances are meant: the query of a list.
import { parseTime } from '../definition/time.ts'
import type { InstanceFilter } from '../runtime/face.ts'
import { HttpProblem } from './problem.ts'
import { flag, text, type Schema } from './schemas.ts'
import { instanceStatuses } from './views.ts'

const times = ['startedAfter', 'startedBefore', 'endedAfter', 'endedBefore'] as const

const instant = (description: string): Schema => ({
  type: 'string',
  format: 'date-time',
  description: `${description}, RFC 3339; the time itself is not in it`,
})

/** Members of a filter; an instance that is meant has all that are given. */
export const filterMembers = {
  workflow: text,
  version: { type: 'string', description: 'whole, its address alone, or a label: all versions that have it' },
  status: { type: 'array', items: { enum: instanceStatuses }, description: 'one of these' },
  keyPrefix: text,
  incident: flag,
  waitingAt: {
    type: 'string',
    description:
      'a task that is under way or waits for a person: "each[3].charge"; "each[].charge" or "charge" in any item',
  },
  attribute: {
    type: 'array',
    items: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]{0,99}:', description: 'name:value' },
    maxItems: 16,
    description: 'with this search attribute, as name:value; values are compared as texts; of several, with all',
  },
  startedAfter: instant('started after this'),
  startedBefore: instant('started before this'),
  endedAfter: instant('ended after this'),
  endedBefore: instant('ended before this'),
} as const

export const filterNames = Object.keys(filterMembers)

/** @throws {HttpProblem} A time is none. */
export function checkTimes(filter: Partial<InstanceFilter>, where: 'query' | 'body', pointer = ''): void {
  for (const name of times) {
    const given = filter[name]
    if (given === undefined || parseTime(given) !== undefined) continue
    const message = `must be a time such as 2030-01-31T06:00:00Z`
    throw new HttpProblem('request-invalid', `${name} ${message}, found "${given}".`, {
      violations: [{ in: where, pointer: `${pointer}/${name}`, message }],
    })
  }
}
