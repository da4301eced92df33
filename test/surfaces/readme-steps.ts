// What a reader of README.md does, step by step: the fenced blocks in their order.
//
//   ```sh                          run as it stands, and has to succeed
//   ```text behind one             lines that its output holds, in this order; `…` stands for anything within a line
//   Save this as `FILE` … ```      written to the file
//   <!-- stays up … -->            in front of a ```sh block: a worker that the following blocks talk to; it takes the
//                                  place of the one before, which is ended with Ctrl-C, or with kill -9 where it says so
//   <!-- not executed: WHY -->     in front of a ```sh block: checked in another way, by a test that names it

export type Step =
  | { readonly kind: 'run'; readonly script: string; readonly expected: readonly string[] }
  | { readonly kind: 'stay-up'; readonly argv: readonly string[]; readonly killsTheOneBefore: boolean }
  | { readonly kind: 'save'; readonly file: string; readonly text: string }
  | { readonly kind: 'not-executed'; readonly script: string }

const block = /(?:<!-- (?<mark>[^>]*) -->\n)?```(?<language>\w+)\n(?<text>[\s\S]*?)^```$/gm

/** The steps of a document, in order. @throws A block that is none of the above. */
export function stepsOf(markdown: string): readonly Step[] {
  const steps: Step[] = []
  let behind = 0
  for (const match of markdown.matchAll(block)) {
    const { mark = '', language = '', text = '' } = match.groups ?? {}
    const prose = markdown.slice(behind, match.index)
    behind = match.index + match[0].length
    const file = /[^]*\bthis as `([^`]+)`/.exec(prose)?.[1]
    const last = steps.at(-1)
    if (mark.startsWith('not executed: ')) steps.push({ kind: 'not-executed', script: text.trim() })
    else if (mark.startsWith('stays up')) steps.push(stayUp(text.trim(), mark))
    else if (language === 'sh' && mark === '') steps.push({ kind: 'run', script: text, expected: [] })
    else if (language === 'text' && last?.kind === 'run')
      steps.splice(-1, 1, { ...last, expected: text.trimEnd().split('\n') })
    else if (file !== undefined) steps.push({ kind: 'save', file, text })
    else throw new Error(`README.md: nobody knows what to do with\n${match[0]}`)
  }
  return steps
}

function stayUp(command: string, mark: string): Step {
  const [npx, program, ...argv] = command.split(' ')
  if (npx !== 'npx' || program !== 'dagger-worker') throw new Error(`README.md: "${command}" does not start a worker`)
  return { kind: 'stay-up', argv, killsTheOneBefore: mark.includes('killed') }
}

/** The first of the expected lines that the output does not hold behind the ones before it; undefined: all are there. */
export function missingLine(output: string, expected: readonly string[]): string | undefined {
  let rest = squeezed(output)
  for (const line of expected) {
    const parts = squeezed(line)
      .split('…')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    const found = new RegExp(parts.join('.*')).exec(rest)
    if (found === null) return line
    rest = rest.slice(found.index + found[0].length)
  }
  return undefined
}

const squeezed = (text: string): string => text.replaceAll(/ +/g, ' ').trim()
