// dagger-worker dead-letter redrive: some letters by their places, or all that a filter wants.
//
// A letter is redriven once, whoever asks and however often: a command that ended half-way is typed again.
import type { Command } from 'commander'
import type { RecordPlaceView, RedriveResult, RedriveView } from '../../runtime/face.ts'
import { ApiProblem } from '../calls.ts'
import type { Client } from '../client.ts'
import { type Coordinates, type FilterFlags, parseLetter, type RedriveTo, withFilter } from '../dead-letter-flags.ts'
import { letterName } from '../dead-letter-text.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { createOutput, type Output, printable } from '../output.ts'
import { counted } from '../problems.ts'
import { clientFor, type ServerFlag, wholeNumber, withServer } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'
import { userName } from '../user-name.ts'

/** Letters of one call: progress is told after each. */
const pageLetters = 100

interface RedriveFlags extends ServerFlag, FilterFlags {
  readonly all?: true
  readonly to?: string
  readonly again?: true
  readonly by?: string
  readonly dryRun?: true
  readonly limit?: number
  readonly json?: true
}

/** What became of one letter, or, of a dry run, what would. */
interface Told extends Coordinates {
  readonly outcome: RedriveResult['outcome'] | 'already-redriven'
  readonly to?: { readonly topic: string; readonly partition?: number; readonly offset?: number }
  readonly redriven?: RedriveView
  readonly message?: string
}

export function addRedrive(deadLetter: Command, surroundings: Surroundings): void {
  const command = deadLetter
    .command('redrive')
    .argument(
      '[partition@offset...]',
      'letters as the list has them',
      (text: string, others: Coordinates[]) => [...others, parseLetter(text)],
      [],
    )
    .summary('give dead letters to their topics again')
    .description(
      'Produces the records as they were, to the topics and partitions that they came from. A letter is redriven once,\n' +
        'however often that is asked, and offered to the workflows that could not use it.',
    )
    .option('--all', 'all that the options below want, the oldest of a partition first')
  withServer(withFilter(command))
    .option('--limit <n>', 'with --all: at most so many', wholeNumber(1))
    .option('--to <topic>', 'to this topic instead, by key')
    .option('--again', 'also what was redriven already')
    .option('--by <name>', 'who has it done; you, where it is left out')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--json', 'one JSON document a letter, and one with the counts')
    .addHelpText(
      'after',
      '\nExamples:\n  dagger-worker dead-letter redrive 3@17 3@18\n' +
        '  dagger-worker dead-letter redrive --all --workflow order --reason input-invalid --dry-run',
    )
    .action((letters: readonly Coordinates[], flags: RedriveFlags) => redrive(letters, flags, surroundings))
}

async function redrive(
  letters: readonly Coordinates[],
  { server, json, all, to, again, by = userName(), dryRun, limit, ...filter }: RedriveFlags,
  surroundings: Surroundings,
): Promise<void> {
  const isFiltered = limit !== undefined || Object.values(filter).some((value) => value !== undefined)
  if ((all === true) === letters.length > 0 || (isFiltered && all !== true)) {
    const message =
      'Expected letters such as 3@17, or --all with or without --reason, --topic, --workflow, --since, --until.'
    throw new CommandFailure(message, exitCodes.usage)
  }
  const client = clientFor(server === undefined ? {} : { server }, surroundings)
  const work = new Redriving(
    client,
    { toTopic: to, again, by },
    dryRun === true,
    createOutput(surroundings),
    json === true,
  )
  try {
    if (all === true) await work.all(filter, limit ?? Number.POSITIVE_INFINITY)
    else for (const letter of letters) await work.one(letter)
  } catch (error) {
    if (work.hasTold) work.sumUp()
    throw error
  }
  work.sumUp()
  if (work.failed > 0) throw new CommandFailure('')
}

class Redriving {
  readonly #client: Client
  readonly #to: RedriveTo
  readonly #isDryRun: boolean
  readonly #output: Output
  readonly #isJson: boolean
  readonly #counts = { redriven: 0, pending: 0, failed: 0, 'already-redriven': 0 }

  constructor(client: Client, to: RedriveTo, isDryRun: boolean, output: Output, isJson: boolean) {
    this.#client = client
    this.#to = to
    this.#isDryRun = isDryRun
    this.#output = output
    this.#isJson = isJson
  }

  get failed(): number {
    return this.#counts.failed
  }

  get hasTold(): boolean {
    return Object.values(this.#counts).some((count) => count > 0)
  }

  async one(letter: Coordinates): Promise<void> {
    try {
      if (this.#isDryRun) this.#tell(await this.#foretell(letter))
      else this.#tell({ ...letter, ...(await this.#client.redrive(letter, this.#to)) })
    } catch (error) {
      // What cannot be done for this letter may be for another; a worker that cannot answer now cannot for any.
      if (!(error instanceof ApiProblem) || error.status === 503) throw error
      this.#tell({ ...letter, outcome: 'failed', message: error.message })
    }
  }

  async all(filter: FilterFlags, limit: number): Promise<void> {
    let left = limit
    let cursor: string | undefined
    do {
      const answer = await this.#client.redriveMany({
        ...filter,
        ...this.#to,
        dryRun: this.#isDryRun,
        limit: Math.min(left, pageLetters),
        cursor,
      })
      for (const result of answer.results) {
        const { partition, offset } = result
        if (result.outcome === 'redriven') this.#tell(result)
        else if (result.outcome === 'pending') this.#tell({ partition, offset, ...this.#target(result.source) })
        else this.#tell({ partition, offset, outcome: 'failed', message: `${result.code}: ${result.message}` })
      }
      this.#counts['already-redriven'] += answer.alreadyRedriven
      if (answer.stopped !== undefined) {
        const message = `${printable(answer.stopped.message)}\nThe same command goes on: no letter is redriven twice.`
        throw new CommandFailure(message, exitCodes.unavailable)
      }
      left -= answer.results.length
      cursor = left > 0 ? answer.next : undefined
      if (cursor !== undefined) this.#output.note(`… ${this.#countsText()} so far`)
    } while (cursor !== undefined)
  }

  /** The counts, as the last line. */
  sumUp(): void {
    const { redriven, pending, failed, 'already-redriven': alreadyRedriven } = this.#counts
    if (!this.#isJson) this.#output.line(this.#countsText())
    else this.#output.json({ ...(this.#isDryRun ? { pending } : { redriven }), failed, alreadyRedriven })
  }

  async #foretell(letter: Coordinates): Promise<Told> {
    const found = await this.#client.findDeadLetter(letter)
    if (found === undefined) return { ...letter, outcome: 'failed', message: 'there is no such letter' }
    const { redriven, isKept, source } = found
    if (redriven !== undefined && this.#to.again !== true) return { ...letter, outcome: 'already-redriven', redriven }
    if (!isKept) return { ...letter, outcome: 'failed', message: 'the record was too large to be kept' }
    return { ...letter, ...this.#target(source) }
  }

  /** The partition of another topic is found when it is produced. */
  #target({ topic, partition }: RecordPlaceView): Pick<Told, 'outcome' | 'to'> {
    const { toTopic = topic } = this.#to
    return { outcome: 'pending', to: toTopic === topic ? { topic, partition } : { topic: toTopic } }
  }

  #tell(told: Told): void {
    this.#counts[told.outcome] += 1
    if (this.#isJson) this.#output.json(told)
    else this.#output.line(`${letterName(told)}  ${this.#outcomeText(told)}`)
  }

  #outcomeText({ outcome, to, redriven, message = '' }: Told): string {
    const { green, red, dim } = this.#output.style
    switch (outcome) {
      case 'redriven':
        return `${green('redriven')} to ${targetText(to)}`
      case 'pending':
        return `would be redriven to ${targetText(to)}`
      case 'already-redriven':
        return dim(`was redriven already, at ${redriven?.at} to ${targetText(redriven)}`)
      case 'failed':
        return `${red('failed')}: ${message.split('\n').map(printable).join('\n    ')}`
    }
  }

  #countsText(): string {
    const { redriven, pending, failed, 'already-redriven': alreadyRedriven } = this.#counts
    const counts = [
      this.#isDryRun ? `${counted(pending, 'letter')} would be redriven` : `${counted(redriven, 'letter')} redriven`,
    ]
    if (failed > 0) counts.push(`${failed} failed`)
    if (alreadyRedriven > 0) counts.push(`${alreadyRedriven} redriven before`)
    return counts.join(', ')
  }
}

/** "orders/3@17", as far as it is known. */
function targetText(to: Told['to']): string {
  if (to === undefined) return ''
  const { topic, partition, offset } = to
  return printable(
    `${topic}${partition === undefined ? '' : `/${partition}`}${offset === undefined ? '' : `@${offset}`}`,
  )
}
