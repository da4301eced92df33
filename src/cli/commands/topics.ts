// dagger-worker topics list.
import type { Command } from 'commander'
import { createOutput, table } from '../output.ts'
import { clientFor, type ServerFlag, withServer } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'

export function addTopics(program: Command, surroundings: Surroundings): void {
  const topics = program.command('topics').summary('see the topics there are').description('The topics there are.')
  withServer(topics.command('list'))
    .summary('list the topics')
    .description('Lists the topics with their partitions and how many records they hold.')
    .option('--json', 'as JSON, with the offsets of each partition')
    .addHelpText('after', '\nExample:\n  dagger-worker topics list')
    .action((flags: ServerFlag & { readonly json?: true }) => listTopics(flags, surroundings))
}

async function listTopics(flags: ServerFlag & { readonly json?: true }, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const topics = await clientFor(flags, surroundings).listTopics()
  if (flags.json === true) {
    output.json(topics)
    return
  }
  if (topics.length === 0) {
    output.note('There are no topics yet: they are created when a workflow names them.')
    return
  }
  const rows = topics.map(({ name, partitions }) => {
    const records = partitions.reduce((sum, { earliest, end }) => sum + end - earliest, 0)
    return [name, String(partitions.length).padStart('PARTITIONS'.length), String(records).padStart('RECORDS'.length)]
  })
  const head = ['TOPIC', 'PARTITIONS', 'RECORDS'].map(output.style.dim)
  for (const line of table([head, ...rows])) output.line(line)
}
