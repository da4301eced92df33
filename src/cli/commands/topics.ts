// dagger-worker topics list, by a worker; and topics create, by Kafka itself, before there is one: for those whose
// workers may not make topics.
import type { Command } from 'commander'
import { TransientFault } from '../../base/errors.ts'
import { loadConfig, type WorkerConfig } from '../../config/worker-config.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { withKafka, type KafkaFlags } from '../kafka-flags.ts'
import { createOutput, table } from '../output.ts'
import { counted } from '../problems.ts'
import { clientFor, type ServerFlag, withServer } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'

export function addTopics(program: Command, surroundings: Surroundings): void {
  const topics = program
    .command('topics')
    .summary('see or make topics')
    .description('Topics: those there are, and those that an application needs.')
  withServer(topics.command('list'))
    .summary('list the topics')
    .description('Lists the topics with their partitions and how many records they hold.')
    .option('--json', 'as JSON, with the offsets of each partition')
    .addHelpText('after', '\nExample:\n  dagger-worker topics list')
    .action((flags: ServerFlag & { readonly json?: true }) => listTopics(flags, surroundings))
  withKafka(topics.command('create'))
    .summary('make the Kafka topics that an application needs')
    .description(
      'Makes the Kafka topics that an application and its workflows need, where they are missing; what exists is left as\n' +
        'it is. Then its workers need no right to make topics: start them with --topics-create false.',
    )
    .option('--app <name>', "the application's name (default: dagger)")
    .option('--workflows <dir>', 'directory of the workflow files (default: workflows)')
    .option('--partitions <n>', 'partitions of a new application (default: 12)')
    .option('--config <file>', "the worker's configuration file, YAML or JSON (default: $DAGGER_WORKER_CONFIG)")
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  dagger-worker topics create --brokers kafka-1:9092 --app shop --workflows ./workflows',
    )
    .action((flags: CreateFlags) => createTopics(flags, surroundings))
}

type CreateFlags = { readonly config?: string; readonly json?: true } & KafkaFlags & {
    readonly [key in 'app' | 'workflows' | 'partitions']?: string
  }

async function createTopics({ config: file, json, ...values }: CreateFlags, surroundings: Surroundings): Promise<void> {
  const { env, workingDirectory } = surroundings
  const config = loadConfig({ flags: values, env, ...(file === undefined ? {} : { file }), workingDirectory })
  if (config.brokers === undefined) {
    throw new CommandFailure(
      'Name the brokers with --brokers host:port. The embedded log needs no topics made: `start` does that.',
      exitCodes.usage,
    )
  }
  const topics = await neededTopics(config, surroundings)
  const output = createOutput(surroundings)
  if (json === true) {
    output.json(topics.map(({ name, partitions, isNew }) => ({ name, partitions, created: isNew })))
    return
  }
  const { green, dim } = output.style
  const rows = topics.map(({ name, partitions, isNew }) => [
    isNew ? green('created') : dim('was there'),
    name,
    counted(partitions, 'partition'),
  ])
  for (const line of table(rows)) output.line(line)
}

async function neededTopics(
  config: WorkerConfig,
  surroundings: Surroundings,
): ReturnType<Surroundings['createTopics']> {
  try {
    return await surroundings.createTopics(config)
  } catch (error) {
    if (!(error instanceof TransientFault)) throw error
    throw new CommandFailure(
      `The topics could not be made, or not all: ${error.message}. What is made stays; try again.`,
      exitCodes.unavailable,
    )
  }
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
