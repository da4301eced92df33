// CEL expressions, and texts with `${ … }` in them: compiled at load, evaluated on plain data.
//
//   X1. An evaluation either gives JSON or throws an ExpressionError: never an empty value, never another error.
//   X2. What it names is known before it runs (`uses`), so that the caller fetches only that.
//   X3. Results are bounded in size and depth.
//
// cel.ts knows the language; here are the contract with the engine and the templates.
import type { Json } from '../base/json.ts'
import { limits } from '../base/limits.ts'
import { CelError, parseCel, readCelFailure, roots } from './cel.ts'
import type { Name, ParsedCel } from './cel.ts'
import { isList, isObject } from './cursor.ts'
import type { Path } from './cursor.ts'
import { toJson, Unwritable } from './result.ts'
import { splitTemplate } from './template.ts'

/** The names an expression may start from. */
export type Root = (typeof roots)[number]

/**
 * What is at hand when an expression is evaluated: own properties by root. The caller fills in only what
 * `uses` names. JSON values as they are; `now`, `instance.startedAt` and `message.timestamp` as Date.
 */
export type Roots = { readonly [root in Root]?: unknown }

/** What an expression names, found at compile time. */
export interface Uses {
  readonly roots: ReadonlySet<Root>
  /** X of `tasks.X`. */
  readonly tasks: readonly string[]
  /** X of `secrets.X`. */
  readonly secrets: readonly string[]
}

/** A compiled CEL expression. */
export interface Expression {
  readonly source: string
  readonly uses: Uses
  /**
   * The value as JSON (CEL integers as numbers, timestamps as RFC 3339, bytes as base64).
   * @throws {ExpressionError} A missing field, a wrong type, …: the task fails with code `expression`.
   */
  evaluate(roots: Roots): Json
}

/** A JSON value whose strings may hold `${ … }`; one that is only an expression keeps the expression's type. */
export interface Template {
  readonly uses: Uses
  /** True where no expression is inside: `evaluate({})` always gives the same. */
  readonly isConstant: boolean
  /** @throws {ExpressionError} as Expression.evaluate */
  evaluate(roots: Roots): Json
}

/** An expression that failed on the values at hand. The message says which expression, where in it, and why. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError'
  readonly code = 'expression'
}

/** Something wrong with the text of an expression or template. */
export interface ExpressionFault {
  readonly message: string
  /** Where in the template's value. */
  readonly path: Path
  /** Characters into the text there. */
  readonly offset: number
}

/** An expression or template that does not compile: the author acts. */
export class ExpressionSyntaxError extends Error {
  override readonly name = 'ExpressionSyntaxError'
  readonly code = 'DW_EXPRESSION'
  readonly faults: readonly ExpressionFault[]
  constructor(faults: readonly ExpressionFault[]) {
    super(faults.map((fault) => fault.message).join('\n'))
    this.faults = faults
  }
}

/** A name with its place in the template. */
export interface PlacedName extends Name {
  readonly path: Path
}

export interface CompiledExpression extends Expression {
  readonly names: readonly PlacedName[]
  /** CEL's static type: "bool", "string", "dyn", … */
  readonly type: string
}

export interface CompiledTemplate extends Template {
  readonly names: readonly PlacedName[]
}

/** Compiles a bare CEL expression. @throws {ExpressionSyntaxError} */
export function compileExpression(source: string): CompiledExpression {
  try {
    return compile(source)
  } catch (error) {
    if (error instanceof CelError)
      throw new ExpressionSyntaxError([{ message: error.message, path: [], offset: error.offset }])
    throw error
  }
}

function compile(source: string): CompiledExpression {
  if (source.trimStart().startsWith('${')) throw new CelError('expected bare CEL: write it without the `${ }`', 0)
  const parsed = parseCel(source)
  if (parsed.type.startsWith('optional')) {
    throw new CelError('the value may be absent: end it with .orValue(…), or test it with .hasValue()', 0)
  }
  const names = parsed.names.map((name) => ({ ...name, path: [] }))
  return { source, type: parsed.type, names, uses: usesOf(names), evaluate: (roots) => evaluate(source, parsed, roots) }
}

function usesOf(names: readonly Name[]): Uses {
  const fieldsOf = (root: Root): readonly string[] => [
    ...new Set(names.flatMap((name) => (name.root === root && name.field !== undefined ? [name.field] : []))),
  ]
  return {
    roots: new Set(names.map((name) => name.root).filter(isRoot)),
    tasks: fieldsOf('tasks'),
    secrets: fieldsOf('secrets'),
  }
}

function isRoot(name: string): name is Root {
  return roots.some((root) => root === name)
}

function evaluate(source: string, parsed: ParsedCel, roots: Roots): Json {
  try {
    return toJson(parsed.run(roots))
  } catch (error) {
    throw expressionError(source, error)
  }
}

const messageCharactersMax = 300
const frameCharactersMax = 100

function expressionError(source: string, error: unknown): ExpressionError {
  const { reason: failure, offset } = readCelFailure(error)
  const reason = failure ?? (error instanceof Unwritable ? error.message : 'it took too much memory or nesting')
  const message = `${reason.slice(0, messageCharactersMax)} in \`${source.trim().slice(0, messageCharactersMax)}\``
  if (offset === undefined || source.length > frameCharactersMax || source.includes('\n'))
    return new ExpressionError(message)
  return new ExpressionError(`${message}\n  ${source}\n  ${' '.repeat(offset)}^`)
}

/** Compiles a JSON value whose texts may hold `${ … }`; `$${` stands for a literal `${`. @throws {ExpressionSyntaxError} */
export function compileTemplate(value: Json): CompiledTemplate {
  const collected: Collected = { names: [], faults: [] }
  const node = compileNode(value, [], collected)
  if (collected.faults.length > 0) throw new ExpressionSyntaxError(collected.faults)
  const isConstant = typeof node !== 'function'
  const { names } = collected
  return { names, uses: usesOf(names), isConstant, evaluate: isConstant ? () => node : node }
}

interface Collected {
  readonly names: PlacedName[]
  readonly faults: ExpressionFault[]
}

/** A constant part as it is, or how to compute it. */
type TemplateNode = Json | ((roots: Roots) => Json)

function compileNode(value: Json, path: Path, collected: Collected): TemplateNode {
  if (typeof value === 'string') return compileText(value, path, collected)
  if (isList(value)) {
    const items = value.map((item, index) => compileNode(item, [...path, index], collected))
    const constants = items.filter((item) => typeof item !== 'function')
    if (constants.length === items.length) return constants
    return (roots) => items.map((item) => (typeof item === 'function' ? item(roots) : item))
  }
  if (!isObject(value)) return value
  const entries = Object.keys(value).map((key) => {
    if (key.includes('${')) {
      collected.faults.push({ message: 'a key cannot hold an expression', path: [...path, key], offset: 0 })
    }
    return [key, compileNode(value[key]!, [...path, key], collected)] as const
  })
  const constants = entries.flatMap(([key, entry]) => (typeof entry === 'function' ? [] : [[key, entry] as const]))
  if (constants.length === entries.length) return Object.fromEntries(constants)
  return (roots) =>
    Object.fromEntries(entries.map(([key, entry]) => [key, typeof entry === 'function' ? entry(roots) : entry]))
}

function compileText(text: string, path: Path, collected: Collected): TemplateNode {
  const parts: (string | CompiledExpression)[] = []
  let offset = 0
  try {
    for (const part of splitTemplate(text)) {
      offset = part.offset
      const expression = part.isExpression ? compile(part.text) : undefined
      parts.push(expression ?? part.text)
      for (const name of expression?.names ?? []) collected.names.push({ ...name, path, offset: name.offset + offset })
    }
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    collected.faults.push({ message: error.message, path, offset: offset + error.offset })
    return text
  }
  const [first, second] = parts
  if (parts.every((part) => typeof part === 'string')) return parts.join('')
  // A block scalar ends in a line break: the expression in it still stands alone.
  const isAlone = parts.length === 1 || (parts.length === 2 && typeof second === 'string' && second.trim() === '')
  if (isAlone && first !== undefined && typeof first !== 'string') return (roots) => first.evaluate(roots)
  return (roots) => writeText(parts, roots)
}

function writeText(parts: readonly (string | CompiledExpression)[], roots: Roots): string {
  let text = ''
  for (const part of parts) {
    const value = typeof part === 'string' ? part : part.evaluate(roots)
    text += typeof value === 'string' ? value : JSON.stringify(value)
    if (text.length > limits.payloadBytesMax) throw new ExpressionError('the text is too long')
  }
  return text
}
