// Which instances are meant: the options of `instances list`, and of what is done to many.
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { InstanceFilter, InstanceStatus } from '../runtime/face.ts'
import { parseSince } from './since.ts'

/** As the API takes them; times are RFC 3339. */
export type InstanceFlags = Omit<InstanceFilter, 'limit' | 'cursor'>

const statuses: readonly InstanceStatus[] = ['EXECUTING', 'SUSPENDED', 'COMPENSATING', 'COMPLETED', 'FAILED', 'STOPPED']

/** Adds the options that say which instances are meant; one has to have all that are given. */
export function withInstances(command: Command): Command {
  return command
    .option('--workflow <name>', 'of this workflow')
    .option('--version <version>', 'on this version: order@3f9c2a1b, 3f9c2a1b, or a label')
    .addOption(new Option('--status <status...>', 'with one of these').choices(statuses).argParser(parseStatus))
    .option('--key-prefix <text>', 'whose business key starts with this')
    .option('--incident', 'that have an incident: a task that waits for a person')
    .option('--waiting-at <task>', 'where this task is under way or waits for a person: charge, each[3].charge')
    .option(
      '--attribute <name=value...>',
      'with this search attribute; with all, where there are several',
      parseAttribute,
    )
    .option('--started-after <time|duration>', 'started after this time, or later than so long ago: 2h', parseSince)
    .option('--started-before <time|duration>', 'started before', parseSince)
    .option('--ended-after <time|duration>', 'ended after', parseSince)
    .option('--ended-before <time|duration>', 'ended before', parseSince)
}

/** The API has a colon there: in a query, a second = would have to be encoded. */
function parseAttribute(text: string, others: readonly string[] = []): readonly string[] {
  const match = /^([A-Za-z_]\w{0,99})=([^]*)$/.exec(text)
  if (match === null) throw new InvalidArgumentError('Expected name=value, such as customer=c-17.')
  return [...others, `${match[1]}:${match[2]}`]
}

function parseStatus(text: string, others: readonly InstanceStatus[] = []): readonly InstanceStatus[] {
  const status = statuses.find((known) => known === text.toUpperCase())
  if (status === undefined) throw new InvalidArgumentError(`Expected one of ${statuses.join(', ')}.`)
  return [...others, status]
}
