// Completion for zsh, with descriptions; otherwise as for bash.
import type { TypedCommand, Values } from './grammar.ts'

/** A script to be sourced after compinit, or to lie in $fpath as _dagger-worker. */
export function zshScript(commands: readonly TypedCommand[]): string {
  const behindOptions = commands.flatMap(({ path, options }) =>
    options.flatMap(({ flags, values }) =>
      values === undefined
        ? []
        : [`    ${patterns(flags.map((flag) => `${path} ${flag}`))}) ${action(values)}; return ;;`],
    ),
  )
  const flagsOf = commands.map(({ path, options }) => {
    const described = options.flatMap(({ flags, description }) => flags.map((flag) => pair(flag, description)))
    return `      ${patterns([path])}) found=(${described.join(' ')}) ;;`
  })
  const wordsOf = commands.map(({ path, commands: inner, arguments: values }) => {
    const described = inner.map(({ name, description }) => pair(name, description))
    return `      ${patterns([path])}) ${described.length > 0 ? `found=(${described.join(' ')})` : action(values)} ;;`
  })
  return `#compdef dagger-worker
# Completion of dagger-worker for zsh: source <(dagger-worker completion zsh)
_dagger-worker() {
  local at='' word before=\${words[CURRENT-1]}
  local -a found
  for word in \${words[2,CURRENT-1]}; do
    case "$at/$word" in
      ${patterns(commands.slice(1).map(({ path }) => path))}) at=$at/$word ;;
    esac
  done
  if [[ $PREFIX == --*=* ]]; then
    before=\${PREFIX%%=*}
    compset -P '*='
  fi
  case "$at $before" in
${behindOptions.join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    case $at in
${flagsOf.join('\n')}
    esac
    _describe -o option found
  else
    case $at in
${wordsOf.join('\n')}
    esac
    if (( $#found )); then _describe command found; fi
  fi
}
if [[ \${funcstack[1]} == _dagger-worker ]]; then _dagger-worker; else compdef _dagger-worker dagger-worker; fi
`
}

const patterns = (texts: readonly string[]): string => texts.map((text) => `'${text}'`).join('|')
const pair = (name: string, description: string): string =>
  `'${name.replaceAll(':', String.raw`\:`)}:${description.replaceAll("'", String.raw`'\''`)}'`

function action(values: Values): string {
  switch (values.kind) {
    case 'choices':
      return `compadd -- ${values.choices.join(' ')}`
    case 'files':
      return '_files'
    case 'directories':
      return '_files -/'
    case 'anything':
      return ':'
  }
}
