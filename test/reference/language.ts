// Workflow documents as the generator writes them, and the few expressions that stand in them.

export type Value = null | boolean | number | string | Value[] | { [name: string]: Value }
export type Values = { [name: string]: Value }

export interface RuleDoc {
  readonly code?: string
  readonly do?: 'incident' | 'fail' | 'skip'
  readonly next?: string[]
}

export interface RetryDoc {
  readonly maxAttempts: number
  readonly initialInterval: string
  readonly backoffCoefficient: number
  readonly maxInterval: string
  readonly jitter: 0
  readonly nonRetryable?: string[]
}

export interface TaskDoc {
  name: string
  type: string
  dependsOn?: string[]
  when?: string
  set?: Values
  retry?: RetryDoc
  onFailure?: 'incident' | 'fail' | 'skip' | RuleDoc | RuleDoc[]
  compensate?: Omit<TaskDoc, 'name'>
  maxDuration?: string
  onMaxDuration?: 'fail' | 'skip'
  monitor?: { completeBy: string; then: Omit<TaskDoc, 'name'> }
  // kafka-command, kafka-listener
  topic?: string
  value?: Value
  correlate?: { message: string; instance: string }
  keep?: string
  where?: string
  timeout?: string
  // decision
  mode?: 'one' | 'all'
  cases?: { when: string; next: string[] }[]
  default?: string[]
  // process, for-each, parallel
  tasks?: TaskDoc[]
  branches?: TaskDoc[][]
  join?: 'all' | 'first' | 'any' | number
  items?: string
  concurrency?: number
  onItemFailure?: 'fail' | 'continue'
  output?: Value
  // trigger, interval
  delay?: string
  every?: string
  until?: string
  run?: TaskDoc
  deadline?: string
  url?: string
  onDeadline?: 'complete' | 'fail' | 'skip'
  // signal
  signal?: string
  // workflow
  workflow?: string
  key?: string
  input?: Value
  wait?: boolean
  // fail, stop
  code?: string
  reason?: string
}

export interface WorkflowDoc {
  workflow: string
  vars: Values
  retention: string
  tasks: TaskDoc[]
  output?: Value
  maxDuration?: string
}

/** What becomes of a run of a handler: how long it takes, and how it ends. */
export interface Run {
  readonly ms: number
  readonly output?: Value
  readonly code?: string
}

/** What happens outside: the nth run of a task, and records and signals by their times. */
export interface Script {
  run(task: string, nth: number): Run
  readonly arrivals: readonly Arrival[]
  /** What a person does about the nth incident of a task; mostly nothing. */
  act(task: string, nth: number): Act | undefined
}

export interface Act {
  readonly ms: number
  readonly kind: 'retry' | 'skip' | 'complete'
  readonly output: Value
}

export interface Arrival {
  readonly atMs: number
  readonly kind: 'record' | 'signal'
  /** The topic, or the signal. */
  readonly name: string
  readonly value: Value
}

export interface Program {
  readonly doc: WorkflowDoc
  readonly input: Value
  readonly script: Script
  /** Workflows that it starts as children. */
  readonly others: readonly WorkflowDoc[]
}

/** What both sides tell. */
export interface Outcome {
  status: string
  code: string | undefined
  output: Value
  vars: Values
  tasks: { [name: string]: string }
  produced: Value[]
}

/** An expression of the language that failed. */
export class ExpressionFailure extends Error {}

/** Terms and operators with a blank between each, from left to right: all that the generator writes. */
export function evaluate(text: string, roots: Values): Value {
  const [first = '', ...rest] = text.trim().split(' ')
  let value = term(first, roots)
  for (let at = 0; at + 1 < rest.length; at += 2) {
    const right = term(rest[at + 1] ?? '', roots)
    value = operate(rest[at] ?? '', value, right)
  }
  return value
}

function term(text: string, roots: Values): Value {
  if (/^-?\d+$/.test(text)) return Number(text)
  if (text.startsWith("'")) return text.slice(1, -1)
  if (text === 'true' || text === 'false') return text === 'true'
  let value: Value = roots
  for (const name of text.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ExpressionFailure(text)
    const next: Value | undefined = Object.hasOwn(value, name) ? value[name] : undefined
    if (next === undefined) throw new ExpressionFailure(text)
    value = next
  }
  return value
}

function operate(operator: string, left: Value, right: Value): Value {
  if (operator === '==') return left === right
  if (typeof left === 'string' && typeof right === 'string' && operator === '+') return left + right
  if (typeof left !== 'number' || typeof right !== 'number') throw new ExpressionFailure(operator)
  switch (operator) {
    case '>':
      return left > right
    case '+':
      return left + right
    default:
      throw new ExpressionFailure(operator)
  }
}

/** A value in which texts may be `${ … }`. */
export function fill(value: Value, roots: Values): Value {
  if (typeof value === 'string') {
    const expression = /^\$\{(.*)\}$/.exec(value)?.[1]
    return expression === undefined ? value : evaluate(expression, roots)
  }
  if (Array.isArray(value)) return value.map((each) => fill(each, roots))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, fill(each, roots)]))
}

/** Milliseconds of a duration: all that the generator writes are in `ms`. */
export const msOf = (duration: string): number => Number(/^(\d+)ms$/.exec(duration)?.[1] ?? Number.NaN)

/** How long a child waits that then ends itself. */
export const childDelayMs = 1_234_567
