// Text of a workflow file → documents as JSON, and where each part of them is in the text.
//
// Owns: YAML (1.2 core schema; JSON is a part of it), its limits, places and code frames. Leaves to schema and checks
// what the documents mean.
//
//   S1. Size, nesting and aliases are counted before anything is expanded: a bomb costs no more than reading it.
//   S2. What YAML would bend silently is a problem: repeated keys, merge keys, tags, YAML 1.1, numbers that lose digits.
//   S3. A document holds JSON only, with text keys, and never the key `__proto__`.
import { Buffer } from 'node:buffer'
import { Lexer, LineCounter, isAlias, isMap, isPair, isScalar, isSeq, parseAllDocuments } from 'yaml'
import type { Alias, Document, Node, Scalar } from 'yaml'
import type { Problem, Place } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { limits } from '../base/limits.ts'
import { pathText } from './cursor.ts'
import type { Path } from './cursor.ts'
import { codeFrame } from './frame.ts'

/** Values in a document once its aliases are expanded: fifty aliases can still be a bomb when they are nested. */
const expandedValuesMax = 50_000

/** One document of a file. */
export interface SourceDocument {
  readonly json: Json
  /** A problem at a path: with its place, its path as text and a code frame. */
  problem(code: string, path: Path, message: string, options?: ProblemOptions): Problem
}

export interface ProblemOptions {
  /** Point at the key of the path rather than at its value. */
  readonly atKey?: boolean
  /** Characters into the text at the path; where the text is written as it is, the place moves along. */
  readonly offset?: number
  readonly suggestion?: string | undefined
}

/** The documents of a file, and every problem of its syntax; a file with a problem gives no documents. */
export function readSource(
  file: string,
  text: string,
): { readonly documents: readonly SourceDocument[]; readonly problems: readonly Problem[] } {
  const lines = linesOf(text)
  const textLines = text.split(/\r?\n/)
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.min(offset, text.length))
    return { file, line: Math.max(1, line), column: Math.max(1, col) }
  }
  const problemAt = (code: string, message: string, offset: number): Problem => {
    const at = place(offset)
    return { code, message, place: at, frame: codeFrame(textLines, at.line, at.column) }
  }

  const excess = findExcess(text)
  if (excess !== undefined)
    return { documents: [], problems: [{ code: 'DW_LIMIT', message: excess, place: start(file) }] }

  let parsed: readonly Document.Parsed[]
  try {
    parsed = [...parseAllDocuments(text, { prettyErrors: false, ...yamlOptions })] as Document.Parsed[]
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { documents: [], problems: [{ code: 'DW_LIMIT', message: tooDeep, place: start(file) }] }
  }

  const problems: Problem[] = []
  const documents: SourceDocument[] = []
  for (const document of parsed) {
    // One slip of the pen makes YAML complain several times over: the first complaint of a line is the one that helps.
    const told = new Set<number>()
    for (const { message, pos } of [...document.errors, ...document.warnings]) {
      const { line } = place(pos[0])
      if (told.has(line)) continue
      told.add(line)
      problems.push(problemAt('DW_YAML', syntaxMessage(message, textLines[line - 1] ?? ''), pos[0]))
    }
    if (document.directives?.yaml.version !== '1.2') {
      problems.push(
        problemAt('DW_YAML', 'expected YAML 1.2, found a %YAML directive for another version: remove it', 0),
      )
    }
    if (problems.length > 0 || document.contents === null || isEmpty(document.contents)) continue
    try {
      const json = new Expansion(document).json(document.contents, [], 0)
      documents.push({
        json,
        problem(code, path, message, options = {}) {
          const at = place(offsetOf(document, text, path, options))
          return {
            code,
            message,
            place: at,
            path: pathText(path),
            ...(options.suggestion === undefined ? {} : { suggestion: options.suggestion }),
            frame: codeFrame(textLines, at.line, at.column),
          }
        },
      })
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      problems.push(problemAt(error.code, error.message, error.offset))
    }
  }
  if (problems.length === 0 && documents.length === 0) {
    problems.push({ code: 'DW_EMPTY', message: 'expected a workflow, found an empty file', place: start(file) })
  }
  return { documents: problems.length === 0 ? documents : [], problems }
}

const yamlOptions = { version: '1.2', schema: 'core', merge: false, uniqueKeys: true, strict: true } as const
const tooDeep = `nested too deep: at most ${limits.yamlDepthMax} levels`

/** Where lines begin. The parser would tell as well, but it passes over line breaks in what it cannot read. */
function linesOf(text: string): LineCounter {
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (const { index } of text.matchAll(/\n/g)) lines.addNewLine(index + 1)
  return lines
}

function start(file: string): Place {
  return { file, line: 1, column: 1 }
}

function isEmpty(node: Node): boolean {
  return isScalar(node) && node.value === null && node.source === ''
}

/** S1: what is too large, too deep or has too many aliases, from the tokens alone. */
function findExcess(text: string): string | undefined {
  if (Buffer.byteLength(text, 'utf8') > limits.definitionBytesMax) {
    return `the file is too large: at most ${limits.definitionBytesMax / 1024} KiB`
  }
  let flowDepth = 0
  let indicatorsInLine = 0
  let aliases = 0
  let isContent = false
  for (const token of new Lexer().lex(text)) {
    if (isContent) {
      isContent = false
      continue
    }
    if (token === '\u001F') isContent = true // the next token is a plain or block scalar as it stands
    else if (token === '[' || token === '{') flowDepth++
    else if (token === ']' || token === '}') flowDepth--
    else if (token === '-' || token === '?' || token === ':') {
      // In a flow collection they nest nothing: JSON on one line has as many as it has names.
      if (flowDepth === 0) indicatorsInLine++
    } else if (token.startsWith('*')) aliases++
    else if (token.startsWith('\n') || token.startsWith('\r')) indicatorsInLine = 0
    if (flowDepth > limits.yamlDepthMax || indicatorsInLine > 2 * limits.yamlDepthMax) return tooDeep
    if (aliases > limits.yamlAliasesMax) return `too many aliases: at most ${limits.yamlAliasesMax}`
  }
  return undefined
}

function syntaxMessage(message: string, line: string): string {
  const reason = message.split('\n')[0]!.replace(/\.$/, '')
  if (!line.includes('${')) return `not valid YAML: ${reason}`
  return `not valid YAML: ${reason}. Quote the expression: YAML reads a bare \`\${ … }\` in a flow collection, or with ": " inside, as its own syntax`
}

class Refused extends Error {
  readonly code: string
  readonly offset: number
  constructor(code: string, message: string, offset: number) {
    super(message)
    this.code = code
    this.offset = offset
  }
}

/** Turns nodes into JSON, counting as it goes. */
class Expansion {
  readonly #document: Document.Parsed
  /** What an alias stands for is looked for in the whole document: once for each, however often it is expanded. */
  readonly #targets = new Map<Alias, Node | undefined>()
  #values = 0

  constructor(document: Document.Parsed) {
    this.#document = document
  }

  json(node: unknown, path: Path, depth: number): Json {
    const offset = offsetOfNode(node)
    if (++this.#values > expandedValuesMax) {
      throw new Refused(
        'DW_LIMIT',
        `too large once its aliases are expanded: at most ${expandedValuesMax} values`,
        offset,
      )
    }
    if (depth > limits.yamlDepthMax) throw new Refused('DW_LIMIT', tooDeep, offset)
    if (isAlias(node)) {
      const target = this.#targetOf(node)
      if (target === undefined) throw new Refused('DW_YAML', `unknown anchor: *${node.source}`, offset)
      return this.json(target, path, depth + 1)
    }
    if (isScalar(node)) return this.#scalar(node, offset)
    if (isSeq(node)) return node.items.map((item, index) => this.json(item, [...path, index], depth + 1))
    if (isMap(node)) {
      const object: { [key: string]: Json } = {}
      for (const pair of node.items) {
        const key = keyText(pair.key)
        if (key === undefined || key === '__proto__') {
          throw new Refused('DW_YAML', 'expected a text as key', offsetOfNode(pair.key) || offset)
        }
        if (key === '<<') throw new Refused('DW_YAML', 'merge keys (`<<`) are not supported', offsetOfNode(pair.key))
        if (Object.hasOwn(object, key))
          throw new Refused('DW_YAML', `the key \`${key}\` is repeated`, offsetOfNode(pair.key))
        object[key] = this.json(pair.value, [...path, key], depth + 1)
      }
      return object
    }
    return null // a key with nothing behind it
  }

  #targetOf(alias: Alias): Node | undefined {
    if (!this.#targets.has(alias)) this.#targets.set(alias, alias.resolve(this.#document))
    return this.#targets.get(alias)
  }

  #scalar(node: Scalar, offset: number): Json {
    const { value } = node
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number' && Number.isFinite(value)) {
      if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value
      throw new Refused('DW_YAML', `the number ${node.source ?? value} cannot be kept exactly: quote it`, offset)
    }
    throw new Refused('DW_YAML', `expected a value that JSON can say, found ${node.source ?? typeof value}`, offset)
  }
}

function keyText(key: unknown): string | undefined {
  if (!isScalar(key) || key.value === null) return undefined
  return typeof key.value === 'string' ? key.value : key.source
}

function offsetOfNode(node: unknown): number {
  return (isScalar(node) || isMap(node) || isSeq(node) || isAlias(node)) && node.range ? node.range[0] : 0
}

/** The offset in the text of what a path leads to; where the path leads nowhere, of the last part that is there. */
function offsetOf(document: Document.Parsed, text: string, path: Path, options: ProblemOptions): number {
  let node: unknown = document.contents
  let key: unknown
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (isSeq(node) && typeof step === 'number' && step < node.items.length) {
      node = node.items[step]
      key = undefined
      continue
    }
    const pair = isMap(node) ? node.items.find((item) => isPair(item) && keyText(item.key) === step) : undefined
    if (pair === undefined) break
    key = pair.key
    // "key:" with nothing behind it has no value of its own to point at.
    node = pair.value === null || (isScalar(pair.value) && pair.value.source === '') ? pair.key : pair.value
  }
  if (options.atKey === true && key !== undefined) return offsetOfNode(key)
  const offset = offsetOfNode(node)
  if (options.offset === undefined || !isScalar(node) || typeof node.value !== 'string') return offset
  const isQuoted = text[offset] === '"' || text[offset] === "'"
  const begin = isQuoted ? offset + 1 : offset
  return text.startsWith(node.value, begin) ? begin + options.offset : offset
}
