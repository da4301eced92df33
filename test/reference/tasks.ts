// Attempts of tasks, by their types.
import { codeOf, complete, fail, skip } from './endings.ts'
import { evaluate, fill, type Run, type Value } from './language.ts'
import { openScope } from './scopes.ts'
import { isEntered, type Node, type Simulation } from './simulation.ts'

/** Its turn has come. */
export function activate(world: Simulation, node: Node): void {
  if (node.status !== 'NOT_STARTED' || (node.scope !== undefined && !isEntered(node.scope))) return
  try {
    if (node.doc.when !== undefined && evaluate(node.doc.when, world.roots(node)) !== true) {
      skip(world, node, 'live')
      return
    }
  } catch (error) {
    fail(world, node, { code: codeOf(error), task: node.doc.name })
    return
  }
  attempt(world, node)
}

export function attempt(world: Simulation, node: Node): void {
  node.attempt++
  node.status = 'EXECUTING'
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
      complete(world, node, null)
      return
    case 'kafka-command':
      world.produced.push({ topic: doc.topic ?? '', value: fill(doc.value ?? null, world.roots(node)) })
      complete(world, node, null)
      return
    case 'decision':
      decide(world, node)
      return
    case 'process':
      openScope(world, node, prefixOf(node))
      return
    case 'fail':
    case 'stop':
      world.push({
        type: 'end',
        status: doc.type === 'fail' ? 'FAILED' : 'STOPPED',
        code: doc.code ?? (doc.type === 'fail' ? 'failed' : 'stopped'),
      })
      complete(world, node, null)
      return
    default:
      run(world, node)
  }
}

const prefixOf = (node: Node): string => node.path.slice(0, node.path.length - node.doc.name.length)

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
  if (isAnyTrue) complete(world, node, null, new Set(chosen))
  else if (otherwise === undefined) fail(world, node, { code: 'no-case', task: node.doc.name })
  else complete(world, node, null, new Set(otherwise))
}

function run(world: Simulation, node: Node): void {
  const nth = (world.runs.get(node.path) ?? 0) + 1
  world.runs.set(node.path, nth)
  const told = world.script.run(node.path, nth)
  world.after(told.ms, node, { type: 'call', call: () => end(world, node, told) })
}

function end(world: Simulation, node: Node, { output, code }: Run): void {
  if (code === undefined) complete(world, node, output as Value)
  else fail(world, node, { code, task: node.doc.name })
}
