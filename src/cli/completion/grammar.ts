// What can be typed where: commander's own tree, as the scripts for shells want it. It is read when a script is made, so that
// a command or an option needs nothing more to be completed than to be there.
import type { Argument, Command, Option } from 'commander'
import { configChoices } from '../../config/config-schema.ts'

export type Values =
  | { readonly kind: 'anything' | 'files' | 'directories' }
  | { readonly kind: 'choices'; readonly choices: readonly string[] }

export interface TypedOption {
  /** "-h", "--help" */
  readonly flags: readonly string[]
  readonly description: string
  /** What is typed behind it; absent: nothing. */
  readonly values?: Values
}

export interface TypedCommand {
  /** "" is the program itself, "/instances/list" a command in it. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly TypedOption[]
  readonly arguments: Values
}

/** Every command with what can follow it, the program itself first. */
export function typedCommands(command: Command, path = ''): readonly TypedCommand[] {
  const help = command.createHelp()
  const inner = help.visibleCommands(command)
  const typed = {
    path,
    commands: inner.map((each) => ({ name: each.name(), description: each.summary() || each.description() })),
    options: help.visibleOptions(command).map(typedOption),
    arguments: argumentValues(command.registeredArguments),
  }
  return [typed, ...inner.flatMap((each) => typedCommands(each, `${path}/${each.name()}`))]
}

function typedOption(option: Option): TypedOption {
  const flags = [option.short ?? '', option.long ?? ''].filter((flag) => flag !== '')
  const { description } = option
  return option.required || option.optional
    ? { flags, description, values: optionValues(option) }
    : { flags, description }
}

function optionValues(option: Option): Values {
  // Settings are checked by their schema, all at once, and not by commander.
  const choices = option.argChoices ?? configChoices(option.attributeName())
  if (choices !== undefined) return { kind: 'choices', choices }
  if (option.flags.endsWith('<dir>')) return { kind: 'directories' }
  return { kind: option.flags.endsWith('<file>') ? 'files' : 'anything' }
}

function argumentValues([first]: readonly Argument[]): Values {
  if (first?.argChoices !== undefined) return { kind: 'choices', choices: first.argChoices }
  return { kind: first !== undefined && /^paths?$/.test(first.name()) ? 'files' : 'anything' }
}
