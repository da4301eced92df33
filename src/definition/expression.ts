// CEL, and texts with `${ … }` in them. STUB while the room is being built: types are the contract.
import type { Json } from '../base/json.ts'

/** The names an expression may start from. */
export type Root = 'input' | 'vars' | 'tasks' | 'instance' | 'message' | 'now' | 'output' | 'error'

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
