// Compiles the small things in a document (expressions, templates, durations), reports what does not compile, and
// notes every name that an expression uses, for names.ts to check once the whole workflow is known.
import type { Json } from '../base/json.ts'
import type { Cursor, Path } from './cursor.ts'
import { parseDuration } from './duration.ts'
import { compileExpression, compileTemplate, ExpressionSyntaxError } from './expression.ts'
import type { CompiledExpression, Expression, PlacedName, Template } from './expression.ts'
import type { Report } from './report.ts'
import { compileSchedule, ScheduleError, type Schedule } from './schedule.ts'

/** What is at hand when an expression of this kind is evaluated. */
export const sites = {
  start: ['message', 'now'],
  vars: ['input', 'instance'],
  task: ['input', 'vars', 'tasks', 'instance', 'now'],
  set: ['input', 'vars', 'tasks', 'instance', 'now', 'output'],
  /** What is given to the outside world, and to what undoes it. */
  effect: ['input', 'vars', 'tasks', 'instance', 'now', 'secrets'],
  effectUndone: ['input', 'vars', 'tasks', 'instance', 'now', 'output', 'secrets'],
  listenerSet: ['input', 'vars', 'tasks', 'instance', 'now', 'output', 'message'],
  record: ['message'],
  correlation: ['input', 'vars', 'tasks', 'instance', 'now'],
  /** Of a listener that is subscribed before its turn: nothing has run yet. */
  correlationAhead: ['input', 'vars', 'instance'],
  failure: ['input', 'vars', 'tasks', 'instance', 'now', 'error'],
  schedule: ['now'],
  attribute: ['input', 'vars', 'tasks', 'instance'],
} as const

export type Site = keyof typeof sites

/** A name in an expression, and where the expression stands. */
export interface Sighting {
  readonly site: Site
  readonly name: PlacedName
  readonly path: Path
  /** The items of `for-each` around it, the outermost first, by their names. */
  readonly items: readonly string[]
}

export class Compiler {
  readonly sightings: Sighting[] = []
  readonly #report: Report
  #items: readonly string[] = []

  constructor(report: Report) {
    this.#report = report
  }

  /** What is compiled meanwhile lies inside an item of a `for-each`. */
  inItem<Result>(name: string, compile: () => Result): Result {
    const around = this.#items
    this.#items = [...around, name]
    try {
      return compile()
    } finally {
      this.#items = around
    }
  }

  /** A bare CEL expression; undefined where there is none or it does not compile. */
  expression(at: Cursor, site: Site): CompiledExpression | undefined {
    const source = at.text
    if (source === undefined) return undefined
    const compiled = this.#attempt(at, () => compileExpression(source))
    if (compiled !== undefined) this.#sight(compiled.names, at, site)
    return compiled
  }

  /** One that is true or false; a YAML true or false is one as well. */
  condition(at: Cursor, site: Site): Expression | undefined {
    if (typeof at.value === 'boolean') return compileExpression(String(at.value))
    const compiled = this.expression(at, site)
    if (compiled !== undefined && compiled.type !== 'bool' && !compiled.type.startsWith('dyn')) {
      this.#report.add(
        'DW_EXPRESSION',
        at.path,
        `expected an expression that is true or false, found one that is ${compiled.type}`,
      )
    }
    return compiled
  }

  template(at: Cursor, site: Site): Template | undefined {
    const value: Json | undefined = at.value
    if (value === undefined) return undefined
    const compiled = this.#attempt(at, () => compileTemplate(value))
    if (compiled !== undefined) this.#sight(compiled.names, at, site)
    return compiled
  }

  /** Each value of an object as a template of its own. */
  templates(at: Cursor, site: Site): ReadonlyMap<string, Template> | undefined {
    if (!at.isGiven) return undefined
    const templates = new Map<string, Template>()
    for (const [key, value] of at.entries) {
      const template = this.template(value, site)
      if (template !== undefined) templates.set(key, template)
    }
    return templates
  }

  /** Milliseconds, at least `leastMs`. */
  duration(at: Cursor, leastMs = 0): number | undefined {
    if (at.text === undefined) return undefined
    const ms = parseDuration(at.text)
    if (ms !== undefined && ms >= leastMs) return ms
    const expected = 'a duration such as 250ms, 30s, 1h30m, 7d or PT1H30M'
    this.#report.add(
      'DW_DURATION',
      at.path,
      `expected ${expected}${leastMs > 0 ? ', more than 0' : ''}, found ${JSON.stringify(at.text)}`,
    )
    return undefined
  }

  /** A cron text and its time zone, UTC where none is given. */
  schedule(at: Cursor, timezone: Cursor): Schedule | undefined {
    if (at.text === undefined) return undefined
    try {
      return compileSchedule(at.text, timezone.text ?? 'UTC')
    } catch (error) {
      if (!(error instanceof ScheduleError)) throw error
      this.#report.add(error.code, error.code === 'DW_CRON' ? at.path : timezone.path, error.message)
      return undefined
    }
  }

  #sight(names: readonly PlacedName[], at: Cursor, site: Site): void {
    for (const name of names) this.sightings.push({ site, name, path: [...at.path, ...name.path], items: this.#items })
  }

  #attempt<Compiled>(at: Cursor, compile: () => Compiled): Compiled | undefined {
    try {
      return compile()
    } catch (error) {
      if (!(error instanceof ExpressionSyntaxError)) throw error
      for (const { message, path, offset } of error.faults) {
        this.#report.add(error.code, [...at.path, ...path], message, { offset })
      }
      return undefined
    }
  }
}
