// A drawing in DOT, the language of Graphviz, and as SVG.
//
//   G1. Texts stand in quotes, with backslashes, quotes and ampersands escaped, and hold no control characters: none ends
//       its quotes, and none is taken for HTML, an entity or a directive of a label.
import type { Drawing, DrawnEdge, DrawnScope, DrawnTask, Member } from '../../definition/drawing.ts'

/** The digraph, with a line end. */
export function dotOf({ name, description, members, edges }: Drawing): string {
  const scopes = new Map<string, DrawnScope>()
  const lines = [
    `digraph ${quoted(name)} {`,
    `  graph [compound=true, fontname="Helvetica", tooltip=${quoted(description ?? name)}]`,
    '  node [fontname="Helvetica", fontsize=11, style="filled", fillcolor="white"]',
    '  edge [fontname="Helvetica", fontsize=10]',
    ...members.flatMap((member) => memberLines(member, '  ', scopes)),
    ...edges.map((edge) => `  ${edgeText(edge, scopes)}`),
    '}',
  ]
  return `${lines.join('\n')}\n`
}

/** The drawing as Graphviz lays it out. */
export async function svgOf(drawing: Drawing): Promise<string> {
  const { instance } = await import('@viz-js/viz')
  return (await instance()).renderString(dotOf(drawing), { format: 'svg' })
}

function memberLines(member: Member, indent: string, scopes: Map<string, DrawnScope>): readonly string[] {
  const tooltip = (fallback: string): string => `tooltip=${quoted(member.description ?? fallback)}`
  if ('type' in member) {
    const label = `"${escaped(member.name)}\\n${escaped(member.about)}"`
    return [`${indent}${member.id} [label=${label}, ${shapes[member.type] ?? 'shape=box'}, ${tooltip(member.name)}]`]
  }
  scopes.set(member.id, member)
  return [
    `${indent}subgraph cluster_${member.id} {`,
    `${indent}  graph [label=${quoted(member.title)}, ${tooltip(member.title)}, style="rounded"]`,
    ...member.members.flatMap((each) => memberLines(each, `${indent}  `, scopes)),
    `${indent}}`,
  ]
}

const shapes: { readonly [type in DrawnTask['type']]?: string } = {
  'kafka-command': 'shape=cds',
  'kafka-listener': 'shape=parallelogram',
  decision: 'shape=diamond',
  set: 'shape=note',
  trigger: 'shape=ellipse',
  signal: 'shape=hexagon',
  http: 'shape=trapezium',
  workflow: 'shape=component',
  fail: 'shape=doubleoctagon',
  stop: 'shape=octagon',
  handler: 'shape=box, style="filled,rounded"',
}

/** An edge joins tasks: where an end is a scope it is clipped at the border of that. */
function edgeText({ from, to, label, kind }: DrawnEdge, scopes: ReadonlyMap<string, DrawnScope>): string {
  const tail = scopes.get(from)
  const head = scopes.get(to)
  const attributes = [
    ...(label === undefined ? [] : [`label=${quoted(label)}`]),
    ...(kind === 'order' ? [] : [kind === 'failure' ? 'style="dashed"' : 'style="dotted", arrowhead="odot"']),
    ...(tail === undefined ? [] : [`ltail="cluster_${from}"`]),
    ...(head === undefined ? [] : [`lhead="cluster_${to}"`]),
  ]
  const ends = `${tail === undefined ? from : taskIn(tail, -1)} -> ${head === undefined ? to : taskIn(head, 0)}`
  return attributes.length === 0 ? ends : `${ends} [${attributes.join(', ')}]`
}

/** The first (0) or last (-1) task in a scope. */
function taskIn(scope: DrawnScope, end: 0 | -1): string {
  const member = scope.members.at(end)
  if (member === undefined) return scope.id
  return 'type' in member ? member.id : taskIn(member, end)
}

function quoted(text: string): string {
  return `"${escaped(text)}"`
}

/** G1 */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Bidi_Control}]+/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll(/["\\]/g, (character) => `\\${character}`)
}
