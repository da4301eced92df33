// Completion for fish: a line for each word that can be typed, and where.
import type { TypedCommand, Values } from './grammar.ts'

/** A script to be sourced, or to lie in ~/.config/fish/completions as dagger-worker.fish. */
export function fishScript(commands: readonly TypedCommand[]): string {
  const lines = commands.flatMap(({ path, commands: inner, options, arguments: values }) => {
    const here = `complete -c dagger-worker -n ${quoted(`__dagger_worker_at '${path}'`)}`
    const own = inner.length > 0 ? [] : takes(values).map((each) => `${here} ${each}`)
    return [
      ...inner.map(({ name, description }) => `${here} -a ${quoted(name)} -d ${quoted(description)}`),
      ...own,
      ...options.map(({ flags, description, values: behind }) => {
        const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
        return [
          here,
          ...names,
          ...(behind === undefined ? [] : behindOption(behind)),
          `-d ${quoted(description)}`,
        ].join(' ')
      }),
    ]
  })
  return `# Completion of dagger-worker for fish: dagger-worker completion fish | source
function __dagger_worker_at
    set -l at ''
    for word in (commandline -opc)[2..]
        switch "$at/$word"
            case ${commands
              .slice(1)
              .map(({ path }) => quoted(path))
              .join(' ')}
                set at "$at/$word"
        end
    end
    test "$at" = "$argv[1]"
end
complete -c dagger-worker -f
${lines.join('\n')}
`
}

const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`

/** `-x`: a value, and no file for one. */
const behindOption = (values: Values): readonly string[] =>
  values.kind === 'files' ? ['-r', '-F'] : ['-x', ...takes(values)]

function takes(values: Values): readonly string[] {
  switch (values.kind) {
    case 'choices':
      return [`-a ${quoted(values.choices.join(' '))}`]
    case 'files':
      return ['-F']
    case 'directories':
      return [`-a '(__fish_complete_directories)'`]
    case 'anything':
      return []
  }
}
