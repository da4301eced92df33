// dagger-worker instances signal / suspend / resume / stop / fail / retry / skip / complete / set.
import type { Command } from 'commander'
import type { Json } from '../../base/json.ts'
import type { Client } from '../client.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { createOutput, printable } from '../output.ts'
import { clientFor, type ServerFlag, serverSuffix, withServer } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'
import { userName } from '../user-name.ts'

interface Flags extends ServerFlag {
  readonly input?: string
  readonly output?: string
  readonly reason?: string
  readonly task?: string
  readonly by?: string
}

type Body = { readonly [member: string]: Json }

/** Adds the commands that act on an instance to `instances`. */
export function addOperations(instances: Command, surroundings: Surroundings): void {
  const add = (name: string, summary: string, example: string): Command =>
    withServer(instances.command(name).argument('<id|workflow/key>'))
      .summary(summary)
      .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
      .option('--by <name>', "who does it, for the instance's history; you, where it is left out")
      .addHelpText('after', `\nExample:\n  dagger-worker instances ${example}`)
  const act = (kind: string, name: string, flags: Flags, body: Body): Promise<void> =>
    operate(kind, name, flags, body, surroundings)

  add('signal', 'send a signal to an instance', `signal order/o-1 approved --input '{"by":"ann"}'`)
    .argument('<signal>')
    .option('--input <json>', 'what goes with it')
    .action((name: string, signal: string, flags: Flags) =>
      act('signal', name, flags, { name: signal, ...member('payload', flags.input, '--input') }),
    )
  for (const [kind, summary] of [
    ['suspend', 'suspend an instance: it starts nothing, and keeps collecting what comes'],
    ['resume', 'resume an instance: what was collected is applied in its order'],
  ] as const) {
    add(kind, summary, `${kind} order/o-1`).action((name: string, flags: Flags) => act(kind, name, flags, {}))
  }
  for (const [kind, summary] of [
    ['stop', 'stop an instance: handlers clean up, nothing is compensated'],
    ['fail', 'fail an instance, to undo it: everything stops, and what was done is compensated'],
  ] as const) {
    add(kind, summary, `${kind} order/o-1 --reason "the customer called"`)
      .option('--reason <text>', 'why')
      .action((name: string, flags: Flags) => act(kind, name, flags, optional('reason', flags.reason)))
  }
  add('retry', 'try a task that failed for good again, or a FAILED instance', 'retry order/o-1 --task ship')
    .option('--task <name>', 'the task; the only one with an incident, where it is left out')
    .option('--input <json>', 'another input, for a handler')
    .action((name: string, flags: Flags) =>
      act('retry', name, flags, { ...optional('task', flags.task), ...member('input', flags.input, '--input') }),
    )
  add('skip', 'skip a task that waits or failed: what comes after it goes on', 'skip order/o-1 --task ship')
    .option('--task <name>', 'the task; the only one with an incident, where it is left out')
    .action((name: string, flags: Flags) => act('skip', name, flags, optional('task', flags.task)))
  add(
    'complete',
    'complete a task that waits or failed, with an output',
    `complete order/o-1 --task ship --output '{"tracking":"t-1"}'`,
  )
    .option('--task <name>', 'the task; the only one with an incident, where it is left out')
    .option('--output <json>', 'its output')
    .action((name: string, flags: Flags) =>
      act('complete', name, flags, { ...optional('task', flags.task), ...member('output', flags.output, '--output') }),
    )
  add('set', 'set variables of an instance', `set order/o-1 carrier='"ups"' weight=3`)
    .argument('<name=json...>')
    .action((name: string, pairs: readonly string[], flags: Flags) => act('set', name, flags, { vars: varsOf(pairs) }))
}

const optional = (name: string, value: string | undefined): Body => (value === undefined ? {} : { [name]: value })

/** A member that is given as JSON, where it is. @throws {CommandFailure} It is none. */
export function member(name: string, text: string | undefined, flag: string): Body {
  return text === undefined ? {} : { [name]: parse(text, flag) }
}

/** Variables given as name=json. @throws {CommandFailure} */
export function varsOf(pairs: readonly string[]): Body {
  const vars = pairs.map((pair) => {
    const at = pair.indexOf('=')
    if (at < 1) throw new CommandFailure(`Expected name=json, found ${printable(pair)}.`, exitCodes.usage)
    return [pair.slice(0, at), parse(pair.slice(at + 1), pair.slice(0, at))] as const
  })
  return Object.fromEntries(vars)
}

function parse(text: string, what: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    const message = `${printable(what)} takes JSON, found ${printable(text)}. A text wants quotes: '"like this"'.`
    throw new CommandFailure(message, exitCodes.usage)
  }
}

async function operate(
  kind: string,
  name: string,
  flags: Flags,
  body: Body,
  surroundings: Surroundings,
): Promise<void> {
  const client = clientFor(flags, surroundings)
  const instance = await findInstance(client, name, surroundings)
  await client.operate(instance.id, kind, { ...body, by: flags.by ?? userName() })
  const output = createOutput(surroundings)
  const server = serverSuffix(client.server, surroundings.env)
  output.note(`${kind}: done. See it: ${surroundings.programName} instances show ${instance.id}${server}`)
}

/** An instance by its id, or the latest of a workflow with a business key. @throws {CommandFailure} There is none. */
export async function findInstance(
  client: Client,
  name: string,
  surroundings: Surroundings,
): Promise<NonNullable<Awaited<ReturnType<Client['findInstance']>>>> {
  // A workflow's name has no slash: what stands before the first one is it, all the rest is the key.
  const slash = name.indexOf('/')
  const found =
    slash < 0
      ? await client.findInstance(name)
      : await client.findInstanceByKey(name.slice(0, slash), name.slice(slash + 1))
  if (found !== undefined) return found
  const server = serverSuffix(client.server, surroundings.env)
  throw new CommandFailure(
    `There is no instance ${printable(name)}, or it is not kept any more. See what there is: ${surroundings.programName} instances list${server}`,
  )
}
