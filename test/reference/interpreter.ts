// A small interpreter of the workflow language, from its page: nothing is stored, and nothing is shared with the engine.
import { ran } from './intervals.ts'
import { join } from './joins.ts'
import { msOf, type Outcome, type Program } from './language.ts'
import { raise } from './people.ts'
import { advance, beginScope, failScope } from './scopes.ts'
import { Simulation, type Flip, type Node, type Step } from './simulation.ts'
import { activate, attempt, grant } from './tasks.ts'
import { arrive } from './waits.ts'
import { end, unwind } from './unwinding.ts'

export function interpret({ doc, input, script }: Program, wrong?: Flip): Outcome {
  const world = new Simulation(doc, input, script, wrong)
  for (const arrival of script.arrivals) {
    world.after(arrival.atMs, undefined, { type: 'call', call: () => arrive(world, arrival) })
  }
  const ending: Step = { type: 'end', status: 'FAILED', code: 'max-duration' }
  if (doc.maxDuration !== undefined) world.after(msOf(doc.maxDuration), undefined, ending)
  beginScope(world, world.root)
  settle(world)
  while (world.due.length > 0 && !isOver(world)) {
    const at = earliest(world)
    const [next] = world.due.splice(at, 1)
    if (next === undefined) break
    world.now = next.at
    if (next.node !== undefined && next.node.epoch !== next.epoch) continue
    world.push(next.step)
    settle(world)
  }
  return outcomeOf(world)
}

const isOver = ({ status }: Simulation): boolean => ['COMPLETED', 'FAILED', 'STOPPED'].includes(status)

const earliest = ({ due }: Simulation): number =>
  due.reduce((best, { at }, index) => (at < (due[best]?.at ?? 0) ? index : best), 0)

/** What follows, in the order in which it came about, until nothing does. */
function settle(world: Simulation): void {
  for (let step = world.steps.shift(); step !== undefined; step = world.steps.shift()) take(world, step)
  grant(world)
}

function take(world: Simulation, step: Step): void {
  if (step.type === 'call') {
    step.call()
    return
  }
  if (world.undoing !== undefined && 'node' in step && step.node === world.undoing) {
    if (step.type === 'settled') unwind(world)
    else if (step.type === 'incident') raise(world, step.node)
    else attempt(world, step.node)
    return
  }
  if (world.status !== 'EXECUTING') return
  switch (step.type) {
    case 'activate':
      activate(world, step.node)
      return
    case 'attempt':
      attempt(world, step.node)
      return
    case 'settled':
      if (step.node.whole !== undefined) join(world, step.node.whole, step.node)
      else if (step.node.scope?.owner?.doc.type === 'interval') ran(world, step.node.scope.owner, step.node)
      else if (step.node.scope !== undefined) advance(world, step.node.scope, step.node)
      return
    case 'incident':
      raise(world, step.node)
      return
    case 'scope-failed':
      failScope(world, step.scope, step.failure)
      return
    case 'end':
      end(world, step.status, step.code)
  }
}

function outcomeOf(world: Simulation): Outcome {
  const tasks: { [name: string]: string } = {}
  note(world.past, tasks)
  note(world.root.nodes, tasks)
  note(world.compensations, tasks)
  return {
    status: world.status,
    code: isOver(world) ? world.code : undefined,
    output: world.output,
    vars: world.vars,
    tasks,
    produced: world.produced,
  }
}

function note(nodes: readonly Node[], tasks: { [name: string]: string }): void {
  for (const node of nodes) {
    if (node.status !== 'NOT_STARTED' && tasks[node.path] !== 'INCIDENT')
      tasks[node.path] = node.hasIncident ? 'INCIDENT' : node.status
    note(node.inner?.nodes ?? [], tasks)
    note(node.children, tasks)
  }
}
