// dagger-worker explain: why an instance waits, or what became of a record.
import type { Command } from 'commander'
import type { Client } from '../client.ts'
import { exitCodes } from '../exit-codes.ts'
import { helpCommand, instanceExplanationLines, recordExplanationLines } from '../explain-text.ts'
import { CommandFailure } from '../failure.ts'
import type { InstanceExplanation, TaskExplanation } from '../../runtime/face.ts'
import { createOutput, printable } from '../output.ts'
import { clientFor, type ServerFlag, serverSuffix, withServer } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'
import { findInstance } from './operate.ts'

type Flags = ServerFlag & { readonly json?: true }

export function addExplain(program: Command, surroundings: Surroundings): void {
  const explain = program
    .command('explain')
    .summary('why an instance waits; what became of a record')
    .description('Why things are as they are. Nothing is changed by it.')
    .usage('[options] <id|workflow/key> | record <topic/partition@offset>')
    .argument('[id|workflow/key]')
  withServer(explain)
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  dagger-worker explain order/o-1\n  dagger-worker explain record orders/3@17')
    .action((name: string | undefined, flags: Flags) => explainInstance(name, flags, surroundings))
  withServer(explain.command('record').argument('<topic/partition@offset>'))
    .summary('what became of a record')
    .description(
      'Which workflow took a record, or why none did: what each workflow that reads its topic makes of it, and what came of\n' +
        'that. What nobody can know any more is said to be unknown, with the reason.',
    )
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  dagger-worker explain record orders/3@17')
    .action((place: string, flags: Flags) => explainRecord(place, flags, surroundings))
}

async function explainInstance(name: string | undefined, flags: Flags, surroundings: Surroundings): Promise<void> {
  if (name === undefined)
    throw new CommandFailure('Name an instance, by its id or as workflow/key: explain order/o-1', exitCodes.usage)
  const output = createOutput(surroundings)
  const client = clientFor(flags, surroundings)
  const { id } = await findInstance(client, name, surroundings)
  const told = await withChildren(await client.explainInstance(id), client)
  if (flags.json === true) return output.json(told)
  const server = serverSuffix(client.server, surroundings.env)
  const lines = instanceExplanationLines(
    told,
    output.style,
    (help) => `${surroundings.programName} ${helpCommand(id, help)}${server}`,
  )
  for (const line of lines) output.line(line)
}

/** Children that live in another worker than their parent are asked for there. */
async function withChildren(told: InstanceExplanation, client: Client): Promise<InstanceExplanation> {
  const tasks = await Promise.all(
    told.tasks.map(async (task): Promise<TaskExplanation> => {
      const { child } = task
      if (child === undefined || child.instanceId !== undefined) return task
      const found = await client.findInstanceByKey(child.workflow, child.key)
      if (found === undefined) return task
      return { ...task, child: { ...child, instanceId: found.id, status: found.status, incidents: found.incidents } }
    }),
  )
  return { ...told, tasks }
}

async function explainRecord(place: string, flags: Flags, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const match = /^(.+)\/(\d{1,10})@(\d{1,15})$/.exec(place)
  if (match === null) {
    const message = `Expected topic/partition@offset, as in orders/3@17; found ${printable(place)}.`
    throw new CommandFailure(message, exitCodes.usage)
  }
  const told = await clientFor(flags, surroundings).explainRecord(match[1]!, Number(match[2]), Number(match[3]))
  if (flags.json === true) return output.json(told)
  for (const line of recordExplanationLines(told, output.style)) output.line(line)
}
