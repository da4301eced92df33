// The work of one evaluation, counted in steps, with an end. A text bounds its own work; what strangers put into the
// values it works on does not: three loops over a list of ten thousand would hold up a worker for hours.
//
//   W1. Every turn of a loop, every operation, what an operation has to read, and every error that is thrown costs
//       steps. What counts is the values and the text, never the time: the same evaluation always ends the same way.
//   W2. Once the steps are used up no loop takes another turn, whatever swallows the error, and the evaluation fails.
//
// The library has no bound of its own. It keeps for each node of a checked tree what evaluates it, in `handle`, or in
// `evaluate`, and a loop's condition beside it: those are wrapped here. test/definition/steps.test.ts notices when a
// release of the library keeps them elsewhere.
import { EvaluationError } from '@marcbachmann/cel-js'
import type { ASTNode } from '@marcbachmann/cel-js'
import { costsOf, stepsMax } from './costs.ts'

/** What the making of an error takes, which `||`, `&&`, all() and exists() may swallow by the thousand. */
const errorSteps = 50

/** Evaluations do not nest: one count serves them all. */
let left = 0
let lastError: unknown

/** Runs an evaluation of a tree that was handed to `countSteps`. @throws {EvaluationError} It takes too many steps. */
export function withinSteps<Value>(evaluate: () => Value): Value {
  left = stepsMax
  lastError = undefined
  const value = evaluate()
  if (left < 0) throw tooMany()
  return value
}

function spend(steps: number): void {
  left -= steps
  if (left < 0) throw tooMany()
}

function tooMany(): EvaluationError {
  return new EvaluationError(`it takes too long on these values: more than ${stepsMax} steps`)
}

/** Operands or the evaluator come first, by the kind of node; none of them looks at `this`. */
type Evaluate = (a: unknown, b: unknown, c: unknown, d: unknown) => unknown

/** A node as the library keeps it once it has been checked. */
interface CheckedNode {
  readonly op: string
  readonly args: unknown
  readonly meta: { readonly alternate?: CheckedNode; readonly macro?: unknown; readonly evaluate: Evaluate }
  handle?: Evaluate
  evaluate: Evaluate
}

interface Loop {
  condition?: (accumulated: unknown) => boolean
  readonly step: CheckedNode
}

/** Makes every evaluation of a checked tree count. */
export function countSteps(tree: ASTNode): void {
  wrapAll(tree, new Set())
}

function wrapAll(value: unknown, seen: Set<unknown>): void {
  if (Array.isArray(value)) for (const item of value) wrapAll(item, seen)
  if (!isNode(value) || seen.has(value)) return
  seen.add(value)
  wrapAll(value.args, seen)
  const { alternate } = value.meta
  if (alternate?.op === 'comprehension') wrapLoop(alternate.args as Loop)
  wrap(value)
}

function isNode(value: unknown): value is CheckedNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'meta' in value
}

function wrap(node: CheckedNode): void {
  const { handle, meta } = node
  if (handle !== undefined) {
    const costOf = costsOf(node.op, node.args)
    node.handle = (a, b, c, d) => {
      spend(costOf(a, b))
      return charged(handle, a, b, c, d)
    }
  } else if (node.op === 'id' && meta.alternate === undefined) {
    node.evaluate = (a, b, c, d) => charged(meta.evaluate, a, b, c, d)
  } else if (node.op === 'map') {
    // The library leaves out keys of the names of host things, silently. These are own properties.
    node.evaluate = (evaluator, _node, scope) => ownEntries(node, evaluator, scope)
  }
}

function wrapLoop(loop: Loop): void {
  const { condition, step } = loop
  const { evaluate } = step.meta
  step.evaluate = (a, b, c, d) => {
    spend(1)
    return charged(evaluate, a, b, c, d)
  }
  loop.condition = (accumulated) => {
    spend(0) // W2: an error of a turn may be swallowed, this one ends the loop
    return condition?.(accumulated) ?? true
  }
}

/** Each error costs once, at the place where it is thrown. */
function charged(evaluate: Evaluate, a: unknown, b: unknown, c: unknown, d: unknown): unknown {
  try {
    return evaluate(a, b, c, d)
  } catch (error) {
    if (error !== lastError) {
      lastError = error
      spend(errorSteps)
    }
    throw error
  }
}

function ownEntries(node: CheckedNode, evaluator: unknown, scope: unknown): object {
  const run = (each: CheckedNode): unknown => each.evaluate(evaluator, each, scope, undefined)
  const pairs = node.args as readonly (readonly [CheckedNode, CheckedNode])[]
  return Object.fromEntries(pairs.map(([key, value]) => [run(key) as PropertyKey, run(value)]))
}
