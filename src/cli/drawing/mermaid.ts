// A drawing as a Mermaid flowchart.
//
//   M1. Texts hold letters, digits and blanks as they are, and what stands between two of them; everything else is a
//       character code. So no text ends its quotes, and none is taken for Markdown, HTML or a directive.
import type { Drawing, DrawnEdge, DrawnTask, Member } from '../../definition/drawing.ts'

/** The flowchart, with a line end. */
export function mermaidOf({ name, members, edges }: Drawing): string {
  const lines = ['flowchart TD', `  accTitle: ${encoded(name)}`]
  for (const member of members) lines.push(...memberLines(member, '  '))
  for (const edge of edges) lines.push(`  ${edgeText(edge)}`)
  return `${lines.join('\n')}\n`
}

function memberLines(member: Member, indent: string): readonly string[] {
  if ('type' in member) return [`${indent}${member.id}${shapeOf(member)}`]
  const inner = member.members.flatMap((each) => memberLines(each, `${indent}  `))
  return [`${indent}subgraph ${member.id}["${encoded(member.title)}"]`, ...inner, `${indent}end`]
}

function shapeOf(task: DrawnTask): string {
  const text = `"${encoded(task.name)}<br/>${encoded(task.about)}"`
  switch (task.type) {
    case 'kafka-command':
      return `[/${text}/]`
    case 'kafka-listener':
      return `[\\${text}\\]`
    case 'decision':
      return `{${text}}`
    case 'trigger':
      return `([${text}])`
    case 'signal':
      return `{{${text}}}`
    case 'http':
      return `[/${text}\\]`
    case 'workflow':
      return `[[${text}]]`
    case 'fail':
      return `(((${text})))`
    case 'stop':
      return `((${text}))`
    case 'handler':
      return `(${text})`
    default:
      return `[${text}]`
  }
}

function edgeText({ from, to, label, kind }: DrawnEdge): string {
  const text = label === undefined ? '' : `|"${encoded(label)}"|`
  const arrow = kind === 'order' ? '-->' : kind === 'failure' ? '-.->' : '-.-o'
  return `${from} ${arrow}${text} ${to}`
}

/** M1 */
function encoded(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/\p{Cc}+/gu, ' ')
    .replaceAll(
      /(?<![A-Za-z0-9])[-._]|[-._](?![A-Za-z0-9])|[^-._A-Za-z0-9 ]/gu,
      (character) => `#${character.codePointAt(0)};`,
    )
}
