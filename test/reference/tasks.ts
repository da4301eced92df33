// Attempts of tasks, by their types.
import { codeOf, complete, fail, skip } from './endings.ts'
import { evaluate, fill, msOf, type Run } from './language.ts'
import { watch } from './deadlines.ts'
import { openInterval } from './intervals.ts'
import { openBranches, openItems } from './joins.ts'
import { openScope } from './scopes.ts'
import { pause, startChild, wait } from './waits.ts'
import { isEntered, prefixOf, type Node, type Simulation } from './simulation.ts'

/** Its turn has come. */
export function activate(world: Simulation, node: Node): void {
  if (node.status !== 'NOT_STARTED' || (node.scope !== undefined && !isEntered(node.scope))) return
  node.attempt = 1
  try {
    if (node.doc.when !== undefined && evaluate(node.doc.when, world.roots(node)) !== true) {
      skip(world, node, 'live')
      return
    }
  } catch (error) {
    fail(world, node, { code: codeOf(error), task: node.doc.name }, { isFinal: true })
    return
  }
  watch(world, node)
  begin(world, node)
}

export function attempt(world: Simulation, node: Node): void {
  node.attempt++
  begin(world, node)
}

function begin(world: Simulation, node: Node): void {
  node.status = 'EXECUTING'
  world.forget(node)
  try {
    perform(world, node)
  } catch (error) {
    fail(world, node, { code: codeOf(error), task: node.doc.name })
  }
}

function perform(world: Simulation, node: Node): void {
  const { doc } = node
  switch (doc.type) {
    case 'set':
      complete(world, node)
      return
    case 'kafka-command':
      send(world, node)
      return
    case 'decision':
      decide(world, node)
      return
    case 'process':
      openScope(world, node, prefixOf(node))
      return
    case 'parallel':
      openBranches(world, node)
      return
    case 'for-each':
      openItems(world, node)
      return
    case 'trigger':
      pause(world, node)
      return
    case 'signal':
    case 'kafka-listener':
      wait(world, node)
      return
    case 'interval':
      openInterval(world, node)
      return
    case 'workflow':
      startChild(world, node)
      return
    case 'fail':
    case 'stop':
      world.push({
        type: 'end',
        status: doc.type === 'fail' ? 'FAILED' : 'STOPPED',
        code: doc.code ?? (doc.type === 'fail' ? 'failed' : 'stopped'),
      })
      complete(world, node)
      return
    default:
      run(world, node)
  }
}

/** The record and what follows from it are one: with the one there is the other. */
function send(world: Simulation, node: Node): void {
  const { topic = '', value = null } = node.doc
  const record = { topic, value: fill(value, world.roots(node)) }
  if (complete(world, node)) world.produced.push(record)
}

function decide(world: Simulation, node: Node): void {
  const { cases = [], mode, default: otherwise } = node.doc
  const chosen: string[] = []
  let isAnyTrue = false
  for (const { when, next } of cases) {
    if (isAnyTrue && mode !== 'all') break
    if (evaluate(when, world.roots(node)) !== true) continue
    isAnyTrue = true
    chosen.push(...next)
  }
  if (isAnyTrue) choose(world, node, chosen)
  else if (otherwise === undefined) fail(world, node, { code: 'no-case', task: node.doc.name })
  else choose(world, node, otherwise)
}

/** Its output is the names that it chose. */
function choose(world: Simulation, node: Node, names: readonly string[]): void {
  const chosen = new Set(names)
  complete(world, node, [...chosen], { chosen, hasWorked: false })
}

/** A handler asks for a slot. */
function run(world: Simulation, node: Node): void {
  node.status = 'SUBMITTED'
  world.requests.push({ node, epoch: node.epoch })
}

/** There is a slot for everyone who asked, and still wants it. */
export function grant(world: Simulation): void {
  for (const { node, epoch } of world.requests.splice(0)) {
    if (node.epoch !== epoch) continue
    node.status = 'EXECUTING'
    const told = next(world, node.path)
    world.after(told.ms, node, { type: 'call', call: () => end(world, node, told) })
    if (node.doc.timeout === undefined) continue
    const call = (): void => {
      node.isUnclear = true
      fail(world, node, { code: 'timeout', task: node.doc.name })
    }
    world.after(msOf(node.doc.timeout), node, { type: 'call', call })
  }
  for (const { node, epoch, end: ended } of world.children.splice(0)) {
    if (node.epoch !== epoch) continue
    const { ms, output = null, code } = next(world, `${node.path}/work`)
    const call = (): void => ended(output, code === undefined ? undefined : 'child-failed')
    world.after(ms, node, { type: 'call', call })
  }
}

function next(world: Simulation, path: string): Run {
  const nth = (world.runs.get(path) ?? 0) + 1
  world.runs.set(path, nth)
  return world.script.run(path, nth)
}

function end(world: Simulation, node: Node, { output, code }: Run): void {
  if (code === undefined) complete(world, node, output)
  else fail(world, node, { code, task: node.doc.name })
}
