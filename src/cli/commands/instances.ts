// dagger-worker instances list / show; operate.ts has what is done to them.
import type { Command } from 'commander'
import { type InstanceFlags, withInstances } from '../instance-flags.ts'
import { attributesText, elapsed, instanceLines, statusText } from '../instance-text.ts'
import { createOutput, printable, shellQuoted, table } from '../output.ts'
import { counted } from '../problems.ts'
import { clientFor, type ServerFlag, serverSuffix, wholeNumber, withServer } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'
import { addOperations, findInstance } from './operate.ts'
import { followToTheEnd } from './run.ts'

/** What the API gives in one answer at most. */
const pageMax = 1_000

interface ListFlags extends ServerFlag, InstanceFlags {
  readonly limit: number
  readonly json?: true
}

interface ShowFlags extends ServerFlag {
  readonly follow?: true
  readonly json?: true
}

export function addInstances(program: Command, surroundings: Surroundings): void {
  const instances = program
    .command('instances')
    .summary('see instances, and act on them')
    .description('What has run, runs and waits.')
  withInstances(
    withServer(instances.command('list'))
      .summary('list instances, newest first')
      .description('Lists instances, newest first.'),
  )
    .option('--limit <n>', 'at most so many', wholeNumber(1), 50)
    .option('--json', 'one JSON document a line')
    .addHelpText(
      'after',
      '\nExamples:\n  dagger-worker instances list --workflow order --incident\n' +
        '  dagger-worker instances list --waiting-at charged --started-before 2h\n' +
        '  dagger-worker instances list --attribute customer=c-17 --status FAILED STOPPED',
    )
    .action((flags: ListFlags) => listInstances(flags, surroundings))
  withServer(instances.command('show').argument('<id|workflow/key>'))
    .summary('show one instance')
    .description('Shows an instance by its id, or the latest one of a workflow with a business key.')
    .option('--follow', 'go on until it ends or has an incident')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  dagger-worker instances show order/o-1 --follow')
    .action((name: string, flags: ShowFlags) => showInstance(name, flags, surroundings))
  addOperations(instances, surroundings)
}

async function listInstances({ server, limit, json, ...filter }: ListFlags, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const { style } = output
  const client = clientFor(server === undefined ? {} : { server }, surroundings)
  const rows: (readonly string[])[] = []
  let cursor: string | undefined
  let count = 0
  let hasAttributes = false
  do {
    const page = await client.listInstances({ ...filter, limit: Math.min(limit - count, pageMax), cursor })
    for (const instance of page.items) {
      if (json === true) output.json(instance)
      hasAttributes ||= instance.attributes !== undefined
      rows.push([
        printable(`${instance.workflow}/${instance.key}`),
        statusText(instance, style),
        instance.startedAt,
        elapsed(instance.startedAt, instance.endedAt),
        printable([...(instance.incidentsAt ?? []), ...instance.waitingAt].join(', ')),
        attributesText(instance),
        style.dim(instance.id),
      ])
    }
    count += page.items.length
    cursor = page.items.length === 0 ? undefined : page.next
  } while (cursor !== undefined && count < limit)
  if (json === true) return
  if (count === 0) {
    output.note('No instances match.')
    return
  }
  const head = ['INSTANCE', 'STATUS', 'STARTED', 'TOOK', 'AT', 'ATTRIBUTES', 'ID'].map(style.dim)
  const shown = [head, ...rows].map((row) => (hasAttributes ? row : row.toSpliced(-2, 1)))
  for (const line of table(shown)) output.line(line)
  if (cursor !== undefined) output.note(`These are the newest ${counted(count, 'instance')}; --limit shows more.`)
}

async function showInstance(name: string, flags: ShowFlags, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const client = clientFor(flags, surroundings)
  const instance = await findInstance(client, name, surroundings)
  if (flags.follow === true) {
    const show = `${surroundings.programName} instances show ${shellQuoted(name)}${serverSuffix(client.server, surroundings.env)}`
    if (flags.json !== true)
      output.line(`${output.style.bold(`${instance.workflow}/${printable(instance.key)}`)}, id ${instance.id}`)
    await followToTheEnd(client, instance.id, { isJson: flags.json === true, show }, surroundings)
    return
  }
  if (flags.json === true) output.json(instance)
  else for (const line of instanceLines(instance, output.style)) output.line(line)
}
