// Completion for bash: one function, whose tables are written out. Nothing is started when Tab is pressed, and no word that
// was typed is ever evaluated.
import type { TypedCommand, Values } from './grammar.ts'

/** A script to be sourced by bash 4 or newer. */
export function bashScript(commands: readonly TypedCommand[]): string {
  const behindOptions = commands.flatMap(({ path, options }) =>
    options.flatMap(({ flags, values }) =>
      values === undefined ? [] : [`    ${patterns(flags.map((flag) => `${path} ${flag}`))}) ${assignment(values)} ;;`],
    ),
  )
  const flagsOf = commands.map(
    ({ path, options }) => `        ${patterns([path])}) words=${quoted(options.flatMap(({ flags }) => flags))} ;;`,
  )
  const wordsOf = commands.map(({ path, commands: inner, arguments: values }) => {
    const names = inner.map(({ name }) => name)
    return `        ${patterns([path])}) ${assignment(names.length > 0 ? { kind: 'choices', choices: names } : values)} ;;`
  })
  return `# Completion of dagger-worker for bash 4 and newer: source <(dagger-worker completion bash)
_dagger_worker() {
  local at='' kind=choices words='' i
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  # Bash takes --option=value apart.
  if [[ $cur == '=' ]]; then cur=''; elif [[ $prev == '=' ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at/\${COMP_WORDS[i]}" in
      ${patterns(commands.slice(1).map(({ path }) => path))}) at=$at/\${COMP_WORDS[i]} ;;
    esac
  done
  case "$at $prev" in
${behindOptions.join('\n')}
    *)
      if [[ $cur == -* ]]; then case $at in
${flagsOf.join('\n')}
      esac; else case $at in
${wordsOf.join('\n')}
      esac; fi ;;
  esac
  COMPREPLY=()
  case $kind in
    choices) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur") ;;
    files) compopt -o filenames 2> /dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    directories) compopt -o filenames 2> /dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
  esac
}
complete -F _dagger_worker dagger-worker
`
}

const patterns = (texts: readonly string[]): string => texts.map((text) => `'${text}'`).join('|')
const quoted = (words: readonly string[]): string => `'${words.join(' ')}'`
const assignment = (values: Values): string =>
  values.kind === 'choices' ? `words=${quoted(values.choices)}` : `kind=${values.kind}`
