// Workflow files that are meant to do harm: bombs of aliases, of depth and of size, and keys of host things; and the few
// mistakes that are seldom made by chance.
import { limits } from '../../../src/base/limits.ts'

const workflow = 'workflow: w\ntasks:\n  - { name: a, type: set, set: { v: 1 } }\n'
const room = limits.definitionBytesMax - 200

/** Each level names the one before ten times over. */
function laughs(levels: number, each: number): string {
  const lines = ['a0: &a0 [x, x]']
  for (let level = 1; level <= levels; level++) {
    lines.push(`a${level}: &a${level} [${Array.from({ length: each }, () => `*a${level - 1}`).join(', ')}]`)
  }
  return lines.join('\n')
}

/** One piece over and over: as much as a file may hold, or an eighth, where the reader of YAML is slow on all of them. */
const repeated = (piece: string, bytes = room / 8): string => piece.repeat(Math.floor(bytes / piece.length))

export const hostileDocuments: readonly string[] = [
  '',
  '\uFEFF',
  '---',
  '\0',
  'null',
  '[]',
  '{}',
  '"w"',
  workflow,
  `${workflow}---\n${workflow}`,
  `${workflow}start: [{ topic: t }, { topic: t }]\n`,
  `${workflow}  - { name: b, type: trigger, at: 2030-13-41 }\n`,
  `${workflow}x-note: &a [*a]\n`,
  `${workflow}x-note: *nobody\n`,
  `${workflow}<<: { workflow: other }\n`,
  `${workflow}__proto__: { polluted: 1 }\n`,
  `${workflow}constructor: { prototype: { polluted: 1 } }\n`,
  `${workflow}x-__proto__: { "__proto__": { polluted: 1 } }\n`,
  `${workflow}vars: { __proto__: 1, constructor: 2, toString: "\${ vars.constructor }" }\n`,
  workflow.replace('name: a', 'name: __proto__'),
  workflow.replace('name: a', 'name: constructor'),
  workflow.replace('name: a', 'name: toString'),
  workflow.replace('{ v: 1 }', '{ constructor: 1, __proto__: 2 }'),
  workflow.replace('{ v: 1 }', '{ constructor: "${ {\\"__proto__\\": 1, \\"constructor\\": 2} }" }'),
  workflow.replace('type: set', 'type: __proto__'),
  `${workflow}input: { type: object, properties: { __proto__: { type: string } } }\n`,
  `${workflow}input: { $ref: "http://127.0.0.1/x" }\n`,
  `${workflow}input: { $ref: "#" }\n`,
  `${workflow}input: { $dynamicRef: "#x", $data: "1/x" }\n`,
  `${workflow}input: { type: string, pattern: "(a+)+$" }\n`,
  `${workflow}input: { $async: true, type: object }\n`,
  laughs(9, 10),
  laughs(49, 1),
  laughs(5, 9),
  `${workflow}x-note:\n  ${laughs(4, 10).replaceAll('\n', '\n  ')}\n`,
  `${workflow}x-note: ${'['.repeat(63)}${']'.repeat(63)}\n`,
  `${workflow}x-note: ${'['.repeat(10_000)}${']'.repeat(10_000)}\n`,
  `${workflow}x-note: ${'{a: '.repeat(10_000)}1${'}'.repeat(10_000)}\n`,
  `${workflow}x-note: ${'- '.repeat(10_000)}1\n`,
  `${workflow}x-note:\n${Array.from({ length: 500 }, (_, level) => `${' '.repeat(level + 1)}a:`).join('\n')}\n`,
  repeated('[', room),
  repeated('{', room),
  repeated('- '),
  repeated('? '),
  repeated('&a '),
  repeated('!!a '),
  repeated('#'),
  repeated(' ', room),
  repeated('\t'),
  repeated('\n'),
  repeated('\r'),
  repeated('---\n'),
  repeated('a: 1\n'),
  repeated('"'),
  repeated("'"),
  repeated('\\'),
  repeated('%YAML 1.1\n'),
  repeated('*a '),
  repeated('😀'),
  `a: "${repeated('\\x41').slice(0, room - 8)}"`,
  `a: |\n${repeated(' x\n')}`,
  `a: >\n${repeated('  x\n\n')}`,
  `x-note: [${repeated('1, ')}]`,
  `x-note: {${Array.from({ length: 25_000 }, (_, index) => `a${index}: 1`).join(', ')}}`,
  `x-note: ${JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, index])))}`,
  `${workflow}vars: { v: "${'${ 1 } '.repeat(20_000)}" }\n`,
  `${workflow}vars: { v: "\${ ${'('.repeat(4_000)} }" }\n`,
  `${workflow}vars: { v: "\${ ${'-'.repeat(4_000)}1 }" }\n`,
  `${workflow}vars: { v: "\${ ${'!'.repeat(4_000)}true }" }\n`,
  `${workflow}vars: { v: "\${ ${'a.'.repeat(2_000)}b }" }\n`,
  `${workflow}vars: { v: "\${ ${'['.repeat(2_000)}${']'.repeat(2_000)} }" }\n`,
  `${workflow}vars: { v: "\${ 'a'.matches('${'(a|'.repeat(60)}b${')'.repeat(60)}') }" }\n`,
  `workflow: w\ntasks:\n${Array.from({ length: 1_000 }, (_, index) => `  - { name: t${index}, type: set, set: { v: 1 } }`).join('\n')}\n`,
  `workflow: w\ntasks:\n${Array.from({ length: 900 }, (_, index) => `  - { name: t${index}, type: set, dependsOn: [t${(index + 1) % 900}], set: { v: "\${ tasks.t${index}.output }" } }`).join('\n')}\n`,
  `workflow: w\ntasks:\n${Array.from({ length: 30 }, (_, level) => `${'  '.repeat(2 * level + 1)}- name: t${level}\n${'  '.repeat(2 * level + 2)}type: process\n${'  '.repeat(2 * level + 2)}tasks:`).join('\n')}\n`,
]
