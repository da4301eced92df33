// How an attempt of a task ends, and what that means for the task.
import { ExpressionFailure, msOf, type RuleDoc, type Value } from './language.ts'
import { isOpen, type Failure, type Node, type Scope, type Simulation } from './simulation.ts'

/** The attempt has done its work; false where what follows from that fails. */
export function complete(
  world: Simulation,
  node: Node,
  output?: Value,
  {
    chosen,
    hasWorked = true,
    isSet = false,
  }: { chosen?: ReadonlySet<string>; hasWorked?: boolean; isSet?: boolean } = {},
): boolean {
  try {
    if (!isSet) world.write(node.doc.set, node, { output: output ?? null })
  } catch (error) {
    // What it has done is done: it is not tried again for that, and undone like any other.
    node.isUnclear = isWork(node)
    fail(world, node, { code: codeOf(error), task: node.doc.name }, { isFinal: hasWorked })
    return false
  }
  node.epoch++
  node.isUnclear = false
  node.status = 'COMPLETED'
  node.hasIncident = false
  node.output = output
  node.edges = chosen ?? 'live'
  if (node.doc.compensate !== undefined) world.completed.push({ node, output })
  world.push({ type: 'settled', node })
  return true
}

export function skip(world: Simulation, node: Node, edges: 'live' | 'dead'): void {
  node.epoch++
  node.status = 'SKIPPED'
  node.hasIncident = false
  node.edges = world.wrong === 'what was skipped for itself leaves dead edges' ? 'dead' : edges
  // A skipped decision takes its default.
  if (edges === 'live' && node.doc.type === 'decision')
    node.edges = new Set(world.wrong === 'a skipped decision chooses nothing' ? [] : node.doc.default)
  world.push({ type: 'settled', node })
}

/** An attempt has failed. */
export function fail(world: Simulation, node: Node, failure: Failure, { isFinal = false } = {}): void {
  node.epoch++
  const { retry } = node.doc
  if (!isFinal && isRetryable(node, failure) && world.wrong !== 'nothing is tried again') {
    node.status = 'SUBMITTED'
    const grown = msOf(retry?.initialInterval ?? '') * (retry?.backoffCoefficient ?? 1) ** (node.attempt - 1)
    world.after(Math.min(grown, msOf(retry?.maxInterval ?? '')), node, { type: 'attempt', node })
    return
  }
  const rule = ruleFor(node, failure)
  if (rule.do !== 'incident') recordUnclear(world, node)
  if (rule.next !== undefined) {
    node.status = 'FAILED'
    node.edges = new Set(rule.next)
    world.push({ type: 'settled', node })
    return
  }
  if (rule.do === 'skip') {
    skip(world, node, 'live')
    return
  }
  node.status = 'FAILED'
  node.failure = failure
  node.edges = 'dead'
  // What undoes a task lies in no scope that could fail: whatever it says, a person is asked.
  node.hasIncident = rule.do === 'incident' || node.undo !== undefined
  if (node.hasIncident) world.push({ type: 'incident', node })
  if (!node.hasIncident && node.scope !== undefined) world.push({ type: 'scope-failed', scope: node.scope, failure })
}

const ofScopes = new Set(['process', 'parallel', 'for-each', 'interval'])
const builtIn = new Set([
  'trigger',
  'signal',
  'kafka-listener',
  'workflow',
  'set',
  'kafka-command',
  'decision',
  'fail',
  'stop',
  'branch',
  'item',
  ...ofScopes,
])

/** It does its work somewhere else. */
const isWork = ({ doc: { type } }: Node): boolean => type === 'workflow' || !builtIn.has(type)

const isRetryable = (node: Node, { code }: Failure): boolean =>
  node.attempt < attemptsOf(node) && node.doc.retry?.nonRetryable?.includes(code) !== true

const attemptsOf = (node: Node): number => node.doc.retry?.maxAttempts ?? (builtIn.has(node.doc.type) ? 1 : 10)

function ruleFor(node: Node, failure: Failure): RuleDoc {
  const { onFailure, type } = node.doc
  const byDefault: RuleDoc = { do: ofScopes.has(type) ? 'fail' : 'incident' }
  if (onFailure === undefined) return byDefault
  if (typeof onFailure === 'string') return { do: onFailure }
  const rules = Array.isArray(onFailure) ? onFailure : [onFailure]
  return rules.find(({ code }) => code === undefined || code === failure.code) ?? byDefault
}

/** Everything in it that is under way is stopped; what has not begun never does. */
export function stopInside(world: Simulation, scope: Scope): void {
  for (const node of scope.nodes) stop(world, node)
}

export function stop(world: Simulation, node: Node): void {
  if (!isOpen(node)) return
  halt(world, node)
  node.status = 'STOPPED'
  node.hasIncident = false
}

/** What is under way of it ends, and nobody knows what came of it. */
export function halt(world: Simulation, node: Node): void {
  if (node.inner !== undefined) stopInside(world, node.inner)
  for (const child of node.children) stop(world, child)
  node.isUnclear ||= node.status === 'EXECUTING' && isWork(node)
  recordUnclear(world, node)
  node.epoch++
}

/** It may have done its work, and is undone in case it has. */
function recordUnclear(world: Simulation, node: Node): void {
  if (world.wrong === 'unknown outcomes are not undone') return
  if (node.isUnclear && node.doc.compensate !== undefined) world.unknown.push({ node, output: undefined })
  node.isUnclear = false
}

export function codeOf(error: unknown): string {
  if (error instanceof ExpressionFailure) return 'expression'
  throw error
}
