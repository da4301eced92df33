// What the commands that talk to a running worker have in common: `--server`, and how the address is found.
import { type Command, InvalidArgumentError } from 'commander'
import { Calls, defaultServer } from './calls.ts'
import { Client } from './client.ts'
import { shellQuoted } from './output.ts'
import type { Surroundings } from './surroundings.ts'

export interface ServerFlag {
  readonly server?: string
}

/** Adds `--server` to a command. */
export function withServer(command: Command): Command {
  return command.option('--server <url>', `the worker's address (default: $DAGGER_WORKER_SERVER or ${defaultServer})`)
}

/** A client of the worker that the flag or the environment names. */
export function clientFor(flags: ServerFlag, { env }: Surroundings): Client {
  return new Client(new Calls(flags.server ?? (env['DAGGER_WORKER_SERVER'] || defaultServer)))
}

/** " --server URL" for a command to copy, where the address is not the one that is taken anyway. */
export function serverSuffix(server: string, env: Surroundings['env'] = {}): string {
  return server === (env['DAGGER_WORKER_SERVER'] || defaultServer) ? '' : ` --server ${shellQuoted(server)}`
}

/** A parser for whole numbers from `min` on, for an option. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < min) {
      throw new InvalidArgumentError(`Expected a whole number of ${min} or more.`)
    }
    return number
  }
}
