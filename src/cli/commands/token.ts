// dagger-worker token create: a token for somebody, and the line that lets them in.
//
// The token is shown once and kept nowhere; the file has its hash.
import { randomBytes } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { ConfigError } from '../../base/errors.ts'
import { accessName, accessNameText, readAccess, tokenLine, tokenOf, type Role } from '../../config/access-file.ts'
import { createOutput } from '../output.ts'
import type { Surroundings } from '../surroundings.ts'

interface TokenFlags {
  readonly name: string
  readonly role: Role
  readonly file?: string
  readonly json?: true
}

export function addToken(program: Command, surroundings: Surroundings): void {
  const token = program.command('token').summary('let people and systems in').description('Tokens of the HTTP API.')
  token
    .command('create')
    .summary('make a token')
    .description('Makes a token, shows it once, and gives the line for the file that start --tokens-file names.')
    .requiredOption('--name <name>', 'whose it is: the name stands in the history of what is done', parseName)
    .addOption(new Option('--role <role>', 'what it may do').choices(['read', 'operate']).makeOptionMandatory())
    .option('--file <file>', 'append the line to this file, and show the token only')
    .option('--json', 'token and line as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  dagger-worker token create --name alice --role operate --file tokens > alice.token',
    )
    .action((flags: TokenFlags) => createToken(flags, surroundings))
}

function parseName(text: string): string {
  if (accessName.test(text)) return text
  throw new InvalidArgumentError(`Expected ${accessNameText}.`)
}

function createToken({ name, role, file, json }: TokenFlags, surroundings: Surroundings): void {
  const output = createOutput(surroundings)
  const token = tokenOf(randomBytes(32))
  const line = tokenLine(name, role, token)
  if (file !== undefined) append(line, file, resolve(surroundings.workingDirectory, file))
  if (json === true) {
    output.json({ name, role, token, line })
    return
  }
  output.line(token)
  if (file === undefined) output.line(line)
  output.note(
    file === undefined
      ? `The first line is the token of ${name}, and is kept nowhere; the second one is for the file of --tokens-file.`
      : `That is the token of ${name}, and is kept nowhere. Its line is in ${file}: workers read it within seconds.`,
  )
}

/** @throws {ConfigError} The file would not be one that a worker takes. */
function append(line: string, shown: string, path: string): void {
  const before = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const added = `${before === '' || before.endsWith('\n') ? '' : '\n'}${line}\n`
  const read = readAccess(shown, before + added)
  if ('length' in read) throw new ConfigError(read)
  appendFileSync(path, added, { mode: 0o600 })
}
