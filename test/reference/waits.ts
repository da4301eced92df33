// Tasks that wait: for a time, a record, a signal, a child; and what comes from outside.
import { codeOf, complete, fail } from './endings.ts'
import { childDelayMs, evaluate, msOf, type Arrival, type Value } from './language.ts'
import { type Node, type Simulation } from './simulation.ts'

/** A timer of the task. */
export function pause(world: Simulation, node: Node): void {
  world.after(msOf(node.doc.delay ?? ''), node, { type: 'call', call: () => complete(world, node) })
}

/** A listener or a signal: what came before its time is there already. */
export function wait(world: Simulation, node: Node): void {
  const name = nameOf(node)
  const at = world.kept.findIndex((each) => each.name === name && takes(node, each.value))
  const [kept] = at === -1 ? [] : world.kept.splice(at, 1)
  if (kept !== undefined) {
    if (node.doc.type === 'signal') take(world, node, kept.value)
    else elsewhere(world, node, () => take(world, node, kept.value))
    return
  }
  world.waiting.push({ node, epoch: node.epoch })
  if (node.doc.timeout !== undefined) {
    const call = (): void => fail(world, node, { code: 'timeout', task: node.doc.name })
    world.after(msOf(node.doc.timeout), node, { type: 'call', call })
  }
}

/** It completes the task; a listener with `until` goes on until that is true. */
function take(world: Simulation, node: Node, value: Value): void {
  const { set, until } = node.doc
  if (until === undefined) {
    complete(world, node, value)
    return
  }
  try {
    const more = { output: value, message: { value } }
    world.write(set, node, more)
    if (evaluate(until, world.roots(node, more)) === true) complete(world, node, value, { isSet: true })
    else wait(world, node)
  } catch (error) {
    fail(world, node, { code: codeOf(error), task: node.doc.name })
  }
}

/** A record is kept and a child is started where its key belongs: to ask and to be answered is a step each. */
function elsewhere(world: Simulation, node: Node, call: () => void): void {
  const { epoch } = node
  const answer = (): void => {
    if (node.epoch === epoch) call()
  }
  world.push({ type: 'call', call: () => world.push({ type: 'call', call: answer }) })
}

/** Goes to the one that has waited longest. */
export function arrive(world: Simulation, { kind, name, value }: Arrival): void {
  const topicOrSignal = `${kind} ${name}`
  const at = world.waiting.findIndex(
    ({ node, epoch }) => node.epoch === epoch && nameOf(node) === topicOrSignal && takes(node, value),
  )
  const [waiting] = at === -1 ? [] : world.waiting.splice(at, 1)
  if (waiting !== undefined) take(world, waiting.node, value)
  else if (world.wrong !== 'what comes early is lost') world.kept.push({ name: topicOrSignal, value })
}

const takes = ({ doc: { where } }: Node, value: Value): boolean =>
  where === undefined || evaluate(where, { message: { value } }) === true

const nameOf = ({ doc }: Node): string =>
  doc.type === 'kafka-listener' ? `record ${doc.topic}` : `signal ${doc.signal ?? doc.name}`

/** A child of one handler, or of one that ends it. */
export function startChild(world: Simulation, node: Node): void {
  const { workflow, wait: waits } = node.doc
  if (waits === false) {
    elsewhere(world, node, () => complete(world, node))
    return
  }
  const end = (output: Value, code: string | undefined): void => {
    if (code === undefined) complete(world, node, output)
    else fail(world, node, { code, task: node.doc.name })
  }
  const code = workflow === 'stops' ? 'child-stopped' : 'child-failed'
  if (workflow === 'stops' || workflow === 'fails')
    world.after(childDelayMs, node, { type: 'call', call: () => end(null, code) })
  else world.children.push({ node, epoch: node.epoch, end })
}
