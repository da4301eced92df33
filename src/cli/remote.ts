// What the commands that talk to a running worker have in common: `--server`, how the address is found, and how they say
// who asks. There is no flag for a token itself: others on the machine would see it.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { clientVariables } from '../base/client-variables.ts'
import type { Trust } from '../base/secure-fetch.ts'
import { thrownText } from '../base/thrown.ts'
import { Calls, defaultServer } from './calls.ts'
import { Client } from './client.ts'
import { exitCodes } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
import { shellQuoted } from './output.ts'
import type { Surroundings } from './surroundings.ts'

type FileKey = 'tokenFile' | 'caFile' | 'certFile' | 'keyFile'

/** What was said on the command line of the worker that is asked: one value, whatever flags it came by. */
export interface ServerFlag {
  readonly server?: { readonly [key in 'url' | FileKey]?: string }
}

/** Its value is a part of `server`. */
class ServerOption extends Option {
  constructor(flags: string, key: 'url' | FileKey, description: string) {
    super(flags, description)
    this.argParser((text: string, before: ServerFlag['server']) => ({ ...before, [key]: text }))
  }

  override attributeName(): string {
    return 'server'
  }
}

/** Adds `--server`, and what goes with it, to a command. */
export function withServer(command: Command): Command {
  const { server, tokenFile, caFile, certFile, keyFile } = clientVariables
  return command
    .addOption(
      new ServerOption('--server <url>', 'url', `the worker's address (default: $${server} or ${defaultServer})`),
    )
    .addOption(
      new ServerOption(
        '--token-file <file>',
        'tokenFile',
        `file with a token (default: $${tokenFile}, or the token in $${clientVariables.token})`,
      ),
    )
    .addOption(
      new ServerOption(
        '--ca-file <file>',
        'caFile',
        `PEM of who signed the worker's certificate (default: $${caFile}, or Node's)`,
      ),
    )
    .addOption(new ServerOption('--cert-file <file>', 'certFile', `PEM of your certificate (default: $${certFile})`))
    .addOption(new ServerOption('--key-file <file>', 'keyFile', `PEM of its key (default: $${keyFile})`))
}

/** A client of the worker that the flags or the environment name. @throws {CommandFailure} A file cannot be read. */
export function clientFor({ server = {} }: ServerFlag, { env, workingDirectory }: Surroundings): Client {
  const textOf = (key: FileKey): string | undefined => {
    const file = server[key] ?? env[clientVariables[key]]
    if (file === undefined || file === '') return undefined
    try {
      return readFileSync(resolve(workingDirectory, file), 'utf8')
    } catch (error) {
      const flag = `--${key.replace('File', '-file')}`
      throw new CommandFailure(
        `The file of ${flag} or ${clientVariables[key]} cannot be read: ${thrownText(error)}`,
        exitCodes.usage,
      )
    }
  }
  const token = (textOf('tokenFile') ?? env[clientVariables.token] ?? '').trim()
  if (!/^[\x21-\x7e]*$/.test(token))
    throw new CommandFailure('Expected one token, and nothing else, in the file or the variable.', exitCodes.usage)
  const trust: Trust = { ca: textOf('caFile'), cert: textOf('certFile'), key: textOf('keyFile') }
  const isTrusting = Object.values(trust).some((text) => text !== undefined)
  return new Client(
    new Calls(server.url ?? (env[clientVariables.server] || defaultServer), {
      ...(token === '' ? {} : { token }),
      ...(isTrusting ? { trust } : {}),
    }),
  )
}

/** " --server URL" for a command to copy, where the address is not the one that is taken anyway. */
export function serverSuffix(server: string, env: Surroundings['env'] = {}): string {
  return server === (env[clientVariables.server] || defaultServer) ? '' : ` --server ${shellQuoted(server)}`
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
