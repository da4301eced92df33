// How dead letters are named: one by its place, many by a filter.
import { type Command, InvalidArgumentError } from 'commander'
import { parseSince } from './since.ts'

/** A letter, by its place in the dead-letter topic. */
export interface Coordinates {
  readonly partition: number
  readonly offset: number
}

/** Which letters; times are RFC 3339. */
export interface FilterFlags {
  readonly reason?: string
  readonly topic?: string
  readonly workflow?: string
  readonly since?: string
  readonly until?: string
}

export interface DeadLetterQuery extends FilterFlags {
  readonly limit: number
  readonly cursor?: string | undefined
}

export interface RedriveTo {
  readonly toTopic?: string | undefined
  readonly again?: boolean | undefined
  readonly by?: string | undefined
}

/** Adds the options that say which letters are meant. */
export function withFilter(command: Command): Command {
  return command
    .option('--reason <code>', 'with this reason: not-json, input-invalid, …')
    .option('--topic <topic>', 'that came from this topic')
    .option('--workflow <name>', 'that this workflow could not use')
    .option('--since <time|duration>', 'that came here at this time or later, or so long ago at most: 24h', parseSince)
    .option('--until <time|duration>', 'that came here before', parseSince)
}

/** A letter by its place: "3@17", or with the name of its topic before it. */
export function parseLetter(text: string): Coordinates {
  const match = /^(?:[^/]+\/)?(\d{1,10})@(\d{1,15})$/.exec(text)
  if (match === null)
    throw new InvalidArgumentError('Expected PARTITION@OFFSET as `dead-letter list` has it, such as 3@17.')
  return { partition: Number(match[1]), offset: Number(match[2]) }
}
