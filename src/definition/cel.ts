// CEL as this product speaks it: the library's environment, and what may stand in an expression.
//
// JSON knows one kind of number, CEL two (ints and doubles) that do not mix. Here they mix, and mixing gives a double:
// `input.count + 1` is what its author expects. Between two int literals, `/` stays a whole-number division as in CEL.
//
//   C1. Expressions see own properties of JSON, and no host object: `constructor` is a missing field like any other.
//   C2. What an expression names is known from its text: `tasks[vars.x]` and a bare `tasks` are refused.
//   C3. The text is bounded: nodes, depth, three nested loops; a regular expression stands in the text, is short, and
//       repeats only single characters and classes. What it does with the values is bounded by steps.ts.
//   C4. A secret is not known while an expression is evaluated: it stands alone, or is joined to texts, and nothing else is
//       done with it.
import { Environment, EvaluationError, ParseError, TypeError } from '@marcbachmann/cel-js'
import type { ASTNode, ParseResult } from '@marcbachmann/cel-js'
import { countSteps, withinSteps } from './steps.ts'

/** A place in an expression where it names something that is handed in. */
export interface Name {
  /** What the author wrote; not necessarily a root that exists. */
  readonly root: string
  /** X of `root.X` or `root["X"]`. */
  readonly field?: string
  /** Y of `root.X.Y`. */
  readonly subfield?: string
  /** True where absence is allowed for: inside `has(…)`, or behind `.?`. */
  readonly isOptional: boolean
  /** Characters from the start of the expression. */
  readonly offset: number
}

/** How to evaluate it, what it names, and its static type ("bool", "dyn", …). */
export interface ParsedCel {
  run(roots: object): unknown
  readonly names: readonly Name[]
  readonly type: string
}

/** A CEL text that cannot be used; `offset` counts characters from its start. */
export class CelError extends Error {
  override readonly name = 'CelError'
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

const sourceCharactersMax = 4_096
const patternCharactersMax = 200
const repetitionsMax = 8
const nestedLoopsMax = 3

/** The names that an expression may start from. */
export const roots = [
  'input',
  'vars',
  'tasks',
  'instance',
  'message',
  'item',
  'index',
  'now',
  'output',
  'error',
  'secrets',
] as const

function isRoot(name: string): boolean {
  return roots.some((root) => root === name)
}

const environment = createEnvironment()

function createEnvironment(): Environment {
  const created = new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 1_000, maxDepth: 32, maxListElements: 500, maxMapEntries: 500, maxCallArguments: 8 },
  })
  for (const root of roots) created.registerVariable(root, 'dyn')
  const arithmetic: { readonly [operator: string]: (left: number, right: number) => number } = {
    '+': (left, right) => left + right,
    '-': (left, right) => left - right,
    '*': (left, right) => left * right,
    '/': (left, right) => left / right,
    '%': (left, right) => left % right,
  }
  for (const [operator, calculate] of Object.entries(arithmetic)) {
    const mixed = (left: bigint | number, right: bigint | number) => calculate(Number(left), Number(right))
    created.registerOperator(`int ${operator} double: double`, mixed)
    created.registerOperator(`double ${operator} int: double`, mixed)
  }
  created.registerOperator('double % double: double', arithmetic['%']!)
  created.registerOperator(
    'int == double: bool',
    (left: bigint, right: number) => Number.isInteger(right) && BigInt(right) === left,
  )
  return created
}

/** Parses and checks a CEL expression. @throws {CelError} */
export function parseCel(source: string): ParsedCel {
  if (source.trim() === '') throw new CelError('expected an expression, found nothing', 0)
  if (source.length > sourceCharactersMax) {
    throw new CelError(`the expression is too long: at most ${sourceCharactersMax} characters`, 0)
  }
  let run: ParseResult
  try {
    run = environment.parse(source)
  } catch (error) {
    throw celError(error)
  }
  const names: Name[] = []
  walk(run.ast, { bound: new Set(), loops: 0, isOptional: false, names })
  checkSecrets(run.ast, true)
  const isKnown = names.every((name) => isRoot(name.root))
  // An unknown root is told by the checks, with the roots that there are; the library would stop at it.
  if (!isKnown) return { run, names, type: 'dyn' }
  const checked = run.check()
  if (!checked.valid) throw celError(checked.error)
  countSteps(run.ast)
  return { run: (values) => withinSteps(() => run(values)), names, type: checked.type ?? 'dyn' }
}

const secretName = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/

/** C4. @param mayBe true where the value of the node is, or is joined to, what the expression gives */
function checkSecrets(node: ASTNode, mayBe: boolean): void {
  const step = fieldOf(node)
  if (step?.of.op === 'id' && step.of.args === 'secrets') {
    if (step.isOptional || !secretName.test(step.field))
      throw new CelError('a secret is named as secrets.NAME, with letters, digits and _', node.start)
    if (!mayBe)
      throw new CelError(
        'a secret is not known while expressions are evaluated: it can stand alone, or be joined to texts by +',
        node.start,
      )
    return
  }
  if (node.op === 'id' && node.args === 'secrets')
    throw new CelError('`secrets` needs a name: secrets.NAME', node.start)
  if (node.op === '?:') {
    const [condition, ...branches] = node.args
    checkSecrets(condition, false)
    for (const branch of branches) checkSecrets(branch, mayBe)
    return
  }
  for (const child of childrenOf(node.args)) checkSecrets(child, mayBe && node.op === '+')
}

function celError(error: unknown): CelError {
  const { reason, offset } = readCelFailure(error)
  const text = reason?.replace('Unexpected token: EOF', 'it ends too early') ?? 'it is nested too deep'
  return new CelError(`the expression does not compile: ${text}`, offset ?? 0)
}

interface Walk {
  /** Variables of comprehensions: no roots. */
  readonly bound: ReadonlySet<string>
  readonly loops: number
  readonly isOptional: boolean
  readonly names: Name[]
}

const loopMacros = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])

function walk(node: ASTNode, at: Walk): void {
  if (findName(node, at)) return
  if (node.op === 'call') {
    const [name, args] = node.args
    for (const arg of args) walk(arg, name === 'has' ? { ...at, isOptional: true } : at)
    return
  }
  if (node.op === 'rcall') {
    const [name, receiver, args] = node.args
    if (name === 'matches') checkPattern(args[0], node.start)
    const isBind = name === 'bind' && receiver.op === 'id' && receiver.args === 'cel'
    walk(receiver, at)
    const variable = args[0]
    if ((isBind || (loopMacros.has(name) && args.length > 1)) && variable?.op === 'id') {
      if (at.loops === nestedLoopsMax) {
        throw new CelError(`loops are nested too deep: at most ${nestedLoopsMax}`, node.start)
      }
      const inside = { ...at, loops: at.loops + 1, bound: new Set([...at.bound, variable.args]) }
      const [value, ...rest] = args.slice(1)
      if (value !== undefined) walk(value, isBind ? at : inside)
      for (const arg of rest) walk(arg, inside)
      return
    }
    for (const arg of args) walk(arg, at)
    return
  }
  for (const child of childrenOf(node.args)) walk(child, at)
}

/** Notes what a chain of fields names (`root.field.subfield`); false where the node is no such chain. */
function findName(node: ASTNode, at: Walk): boolean {
  const fields: string[] = []
  let isOptional = at.isOptional
  let start: ASTNode = node
  for (;;) {
    const step = fieldOf(start)
    if (step === undefined) break
    fields.unshift(step.field)
    isOptional ||= step.isOptional
    start = step.of
  }
  if (start.op !== 'id') return false
  const root = start.args
  if (at.bound.has(root) || isConstant(root)) return true
  const [field, subfield] = fields
  if (root === 'tasks' && field === undefined) {
    throw new CelError('`tasks` needs the name of a task: tasks.<name> or tasks["<name>"]', start.start)
  }
  at.names.push({
    root,
    ...(field === undefined ? {} : { field }),
    ...(subfield === undefined ? {} : { subfield }),
    isOptional,
    offset: start.start,
  })
  return true
}

function fieldOf(node: ASTNode): { of: ASTNode; field: string; isOptional: boolean } | undefined {
  if (node.op === '.' || node.op === '.?')
    return { of: node.args[0], field: node.args[1], isOptional: node.op === '.?' }
  if (node.op !== '[]' && node.op !== '[?]') return undefined
  const [of, index] = node.args
  if (index.op !== 'value' || typeof index.args !== 'string') return undefined
  return { of, field: index.args, isOptional: node.op === '[?]' }
}

/** Names of types and namespaces (`int`, `optional`, `cel`), which are no roots. */
function isConstant(name: string): boolean {
  return !isRoot(name) && environment.hasVariable(name)
}

function* childrenOf(args: unknown): Iterable<ASTNode> {
  if (Array.isArray(args)) for (const item of args) yield* childrenOf(item)
  else if (isNode(args)) yield args
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value
}

/** What the library says of a failure, and where (characters into the expression); nothing where it is not the library's. */
export function readCelFailure(error: unknown): { readonly reason?: string; readonly offset?: number } {
  const isOurs = error instanceof EvaluationError || error instanceof ParseError || error instanceof TypeError
  if (!isOurs) return {}
  return { reason: error.summary, ...(error.range === undefined ? {} : { offset: error.range.start }) }
}

/** C3: a pattern out of data, or one that backtracks, could hold up the whole worker. */
function checkPattern(pattern: ASTNode | undefined, offset: number): void {
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') {
    throw new CelError('the pattern of matches() must be a text literal', offset)
  }
  if (pattern.args.length > patternCharactersMax) {
    throw new CelError(`the pattern is too long: at most ${patternCharactersMax} characters`, pattern.start)
  }
  try {
    RegExp(pattern.args)
  } catch {
    throw new CelError('the pattern is no regular expression', pattern.start)
  }
  // Escapes and classes stand for one character, whatever is in them.
  const skeleton = pattern.args.replace(/\\[^1-9k]|\[(?:\\.|[^\]\\])*\]/g, '.')
  if (/\)[*+{]|\\[1-9k]/.test(skeleton)) {
    throw new CelError('the pattern can take too long: repeat single characters or classes, no groups', pattern.start)
  }
  if ((skeleton.match(/[*+{]/g)?.length ?? 0) > repetitionsMax) {
    throw new CelError(`the pattern can take too long: at most ${repetitionsMax} repetitions`, pattern.start)
  }
}
