// dagger-worker topics list, by a worker; and topics create, describe and check, by Kafka itself, before there is one:
// for those whose workers may not make topics.
import type { Command } from 'commander'
import { TransientFault } from '../../base/errors.ts'
import type { WorkerConfig } from '../../config/worker-config.ts'
import type { InspectedTopic } from '../../runtime/face.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { withKafka, type KafkaFlags } from '../kafka-flags.ts'
import { createOutput, type Output, table } from '../output.ts'
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
  ofApplication(topics.command('create'))
    .summary('make the Kafka topics that an application needs')
    .description(
      'Makes the Kafka topics that an application and its workflows need, where they are missing; what exists is left as\n' +
        'it is. Then its workers need no right to make topics: start them with --topics-create false.',
    )
    .action((flags: ApplicationFlags) => createTopics(flags, surroundings))
  ofApplication(topics.command('describe'))
    .summary('show the Kafka topics that an application needs')
    .description(
      'Shows the Kafka topics that an application and its workflows need, as they are, and what is wrong with them.',
    )
    .action((flags: ApplicationFlags) => describeTopics(flags, surroundings))
  ofApplication(topics.command('check'))
    .summary('tell what is wrong with them')
    .description(
      'Looks at the Kafka topics that an application and its workflows need, and ends with 1 where one is missing or is\n' +
        'not as it should be: each difference is told with its cure. Nothing is changed.',
    )
    .action((flags: ApplicationFlags) => checkTopics(flags, surroundings))
}

type ApplicationFlags = { readonly config?: string; readonly json?: true } & KafkaFlags & {
    readonly [key in 'app' | 'workflows' | 'partitions' | 'updates']?: string
  }

function ofApplication(command: Command): Command {
  return withKafka(command)
    .option('--app <name>', "the application's name (default: dagger)")
    .option('--workflows <dir>', 'directory of the workflow files (default: workflows)')
    .option('--partitions <n>', 'partitions of a new application (default: 12)')
    .option('--updates <boolean>', 'with the topic of updates (default: false, unless a workflow asks for it)')
    .option('--config <file>', "the worker's configuration file, YAML or JSON (default: $DAGGER_WORKER_CONFIG)")
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `\nExample:\n  dagger-worker topics ${command.name()} --brokers kafka-1:9092 --app shop --workflows ./workflows`,
    )
}

async function createTopics(flags: ApplicationFlags, surroundings: Surroundings): Promise<void> {
  const failed = (why: string): string =>
    `The topics could not be made, or not all: ${why}. What is made stays; try again.`
  const topics = await onKafka(flags, surroundings, surroundings.createTopics, failed)
  const output = createOutput(surroundings)
  if (flags.json === true) {
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

const notLookedAt = (why: string): string => `The topics could not be looked at: ${why}. Try again.`

async function describeTopics(flags: ApplicationFlags, surroundings: Surroundings): Promise<void> {
  const topics = await onKafka(flags, surroundings, surroundings.inspectTopics, notLookedAt)
  const output = createOutput(surroundings)
  if (flags.json === true) {
    output.json(topics)
    return
  }
  const heads = ['TOPIC', 'PARTITIONS', 'REPLICAS', 'CLEANUP', 'MAX BYTES', '']
  const rows = topics.map((topic) => rowOf(topic, heads, output))
  for (const line of table([heads.map(output.style.dim), ...rows])) output.line(line)
}

function rowOf(topic: InspectedTopic, heads: readonly string[], { style }: Output): readonly string[] {
  const { name, exists, partitions, replicas, cleanupPolicy, maxMessageBytes, differences } = topic
  const wrong = differences.map(({ what, wanted, found }) =>
    exists ? `${what}: wanted ${wanted}, found ${found}` : found,
  )
  const cells = [name, partitions, replicas, cleanupPolicy, maxMessageBytes].map((cell) => String(cell ?? '-'))
  const aligned = cells.map((cell, at) => (at === 0 || at === 3 ? cell : cell.padStart(heads[at]?.length ?? 0)))
  return [...aligned, wrong.length === 0 ? style.green('ok') : style.yellow(wrong.join('; '))]
}

async function checkTopics(flags: ApplicationFlags, surroundings: Surroundings): Promise<void> {
  const topics = await onKafka(flags, surroundings, surroundings.inspectTopics, notLookedAt)
  const output = createOutput(surroundings)
  const wrong = topics.filter(({ differences }) => differences.length > 0)
  if (flags.json === true) {
    output.json(topics.flatMap(({ name, differences }) => differences.map((each) => ({ topic: name, ...each }))))
  } else {
    for (const { name, differences } of wrong) {
      for (const { what, wanted, found, cure } of differences) {
        output.line(`${output.style.bold(name)}  ${what}: wanted ${wanted}, found ${found}`)
        output.line(`  ${cure}`)
      }
    }
  }
  if (wrong.length > 0) {
    const said = `${counted(wrong.length, 'topic')} of ${topics.length} not as needed.`
    throw new CommandFailure(flags.json === true ? '' : said, exitCodes.failed)
  }
  if (flags.json !== true) output.line(`${counted(topics.length, 'topic')}, all as needed.`)
}

async function onKafka<Answer>(
  flags: ApplicationFlags,
  { env, workingDirectory }: Surroundings,
  act: (config: WorkerConfig) => Promise<Answer>,
  failed: (why: string) => string,
): Promise<Answer> {
  const { config: file, json: _, ...values } = flags
  const { loadConfig } = await import('../../config/worker-config.ts')
  const config = loadConfig({ flags: values, env, ...(file === undefined ? {} : { file }), workingDirectory })
  if (config.brokers === undefined) {
    throw new CommandFailure(
      'Name the brokers with --brokers host:port. The embedded log needs no topics made: `start` does that.',
      exitCodes.usage,
    )
  }
  try {
    return await act(config)
  } catch (error) {
    if (!(error instanceof TransientFault)) throw error
    throw new CommandFailure(failed(error.message), exitCodes.unavailable)
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
