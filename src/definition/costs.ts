// What the operations of CEL cost in steps (steps.ts), by what they have to read. The figures are what was measured of the
// library, against a plain operation; what is more than a step is what a stranger can make large.
import { EvaluationError } from '@marcbachmann/cel-js'
import { triesOf } from './pattern.ts'

/** Steps of one evaluation: a few tens of milliseconds. */
export const stepsMax = 50_000
/** What it takes to read a time or a duration. */
const timeSteps = 4
/** What a time zone takes: the calendar's rules are looked up anew each time. */
const timeZoneSteps = 750
/** How many of them one step reads. */
const charactersOfAStep = 256
const itemsOfAStep = 16
const comparisonsOfAStep = 4
const triesOfAStep = 100
/** Functions that do more with a character than to copy it. */
const laborious: { readonly [name: string]: number } = {
  size: 8,
  split: 32,
  join: 8,
  json: 32,
  bytes: 4,
  string: 4,
  lowerAscii: 16,
  upperAscii: 16,
}

/** What an operation on these operands costs. */
export function costsOf(op: string, args: unknown): (left: unknown, right: unknown) => number {
  switch (op) {
    case '.':
    case '.?':
    case '[]':
    case '[?]':
    case '?:':
      return () => 1
    case '==':
    case '!=':
      return (a, b) => 1 + comparison(a, b)
    case 'in':
      return (a, b) => 1 + (Array.isArray(b) ? membership(a, b) : 0)
    case 'call':
    case 'rcall':
      return callCosts(args as readonly [string, ...unknown[]])
    default:
      return (a, b) => 1 + reading(a) + reading(b)
  }
}

function callCosts([name, , args]: readonly [string, ...unknown[]]): (args: unknown) => number {
  const factor = laborious[name] ?? 1
  const own = name === 'timestamp' || name === 'duration' ? timeSteps : 1
  const pattern = name === 'matches' && Array.isArray(args) ? (args[0] as { readonly args: unknown }).args : undefined
  return (operands) => {
    if (!Array.isArray(operands)) return 1
    const [subject, argument] = operands
    if (typeof pattern === 'string' && typeof subject === 'string')
      return 1 + triesOf(pattern, subject.length) / triesOfAStep
    if (name === 'join' && Array.isArray(subject) && typeof argument === 'string')
      return 1 + subject.length + (subject.length * argument.length) / charactersOfAStep
    const zone = name.startsWith('get') && operands.length > 1 ? timeZoneSteps : 0
    return operands.reduce(
      (sum: number, operand) => sum + reading(operand) * (isText(operand) ? factor : 1),
      own + zone,
    )
  }
}

function isText(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array
}

/** To read a value once, without what is in it. */
function reading(value: unknown): number {
  if (isText(value)) return value.length / charactersOfAStep
  if (typeof value !== 'object' || value === null) return 0
  if (Array.isArray(value)) return value.length / itemsOfAStep
  return (value instanceof Map ? value.size : Object.keys(value).length) / comparisonsOfAStep
}

function membership(item: unknown, list: readonly unknown[]): number {
  return typeof item === 'object' && item !== null
    ? wholeSteps(item) + wholeSteps(list)
    : list.length / comparisonsOfAStep
}

/** To compare two values with all that is in them. */
function comparison(a: unknown, b: unknown): number {
  const isDeep = typeof a === 'object' && typeof b === 'object' && a !== null && b !== null && a !== b
  return isDeep ? wholeSteps(a) + wholeSteps(b) : Math.min(reading(a), reading(b))
}

/**
 * To read a value with all that is in it; reading stops where no evaluation has as many steps.
 * @throws {EvaluationError} A key `__proto__`: the library would take what every object inherits for its counterpart.
 */
function wholeSteps(value: unknown): number {
  let steps = 0
  const open: unknown[] = [value]
  while (open.length > 0 && steps <= stepsMax) {
    const next = open.pop()
    steps += 1
    if (typeof next === 'string') steps += reading(next)
    if (typeof next !== 'object' || next === null || next instanceof Uint8Array) continue
    if (Object.hasOwn(next, '__proto__')) throw new EvaluationError('values with a key `__proto__` are not compared')
    const inner = next instanceof Map ? next.values() : Object.values(next)
    for (const each of inner) open.push(each)
  }
  return steps
}
