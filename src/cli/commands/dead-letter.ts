// dagger-worker dead-letter list / show; redrive.ts has what gives letters to their topics again.
import type { Command } from 'commander'
import { type Coordinates, type FilterFlags, parseLetter, withFilter } from '../dead-letter-flags.ts'
import { deadLetterHead, deadLetterLines, deadLetterRow, letterName } from '../dead-letter-text.ts'
import { CommandFailure } from '../failure.ts'
import { createOutput, table } from '../output.ts'
import { counted } from '../problems.ts'
import { clientFor, type ServerFlag, serverSuffix, wholeNumber, withServer } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'
import { addRedrive } from './redrive.ts'

/** What the API gives in one answer at most. */
const pageMax = 1_000

interface ListFlags extends ServerFlag, FilterFlags {
  readonly pending?: true
  readonly limit: number
  readonly json?: true
}

export function addDeadLetter(program: Command, surroundings: Surroundings): void {
  const deadLetter = program
    .command('dead-letter')
    .summary('see records that could not be used, and give them to their topics again')
    .description('Records that could not be used: why, whence, and giving them to their topics again.')
  withFilter(withServer(deadLetter.command('list')))
    .summary('list dead letters, newest first')
    .description('Lists dead letters, newest first.')
    .option('--pending', 'that were not redriven')
    .option('--limit <n>', 'at most so many', wholeNumber(1), 50)
    .option('--json', 'one JSON document a line')
    .addHelpText('after', '\nExample:\n  dagger-worker dead-letter list --workflow order --since 24h')
    .action((flags: ListFlags) => listLetters(flags, surroundings))
  withServer(deadLetter.command('show').argument('<partition@offset>', 'as the list has it', parseLetter))
    .summary('show one dead letter')
    .description('Shows a dead letter: the record as it was, why it could not be used, and where it came from.')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  dagger-worker dead-letter show 3@17')
    .action((letter: Coordinates, flags: ServerFlag & { readonly json?: true }) =>
      showLetter(letter, flags, surroundings),
    )
  addRedrive(deadLetter, surroundings)
}

async function listLetters({ server, limit, json, ...query }: ListFlags, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const client = clientFor(server === undefined ? {} : { server }, surroundings)
  const rows: (readonly string[])[] = []
  let count = 0
  let cursor: string | undefined
  do {
    const page = await client.listDeadLetters({ ...query, limit: Math.min(limit - count, pageMax), cursor })
    for (const letter of page.items) {
      if (json === true) output.json(letter)
      rows.push(deadLetterRow(letter, output.style))
    }
    count += page.items.length
    cursor = page.next
  } while (cursor !== undefined && count < limit)
  if (json === true) return
  if (count === 0) {
    output.note('No dead letters match.')
    return
  }
  for (const line of table([deadLetterHead.map(output.style.dim), ...rows])) output.line(line)
  if (cursor !== undefined) output.note(`These are the newest ${counted(count, 'letter')}; --limit shows more.`)
}

async function showLetter(
  letter: Coordinates,
  flags: ServerFlag & { readonly json?: true },
  surroundings: Surroundings,
): Promise<void> {
  const { env, programName } = surroundings
  const output = createOutput(surroundings)
  const client = clientFor(flags, surroundings)
  const found = await client.findDeadLetter(letter)
  const server = serverSuffix(client.server, env)
  if (found === undefined) {
    throw new CommandFailure(
      `There is no dead letter ${letterName(letter)}, or it is not kept any more. See what there is: ${programName} dead-letter list${server}`,
    )
  }
  if (flags.json === true) return output.json(found)
  const redrive = `${programName} dead-letter redrive ${letterName(letter)}${server}`
  for (const line of deadLetterLines(found, redrive, output.style)) output.line(line)
}
