// Instances of workflows that strangers wrote, in the engine's small world: they may fail, wait or end, and nothing
// throws. The world checks the labelled invariants of the state after every input.
import type { Json } from '../../src/base/json.ts'
import { engineWorld } from '../support/engine.ts'
import type { EngineWorld } from '../support/engine.ts'

const inputs: readonly Json[] = [null, { n: 1, a: true, items: [1] }]
/** Handlers answered and timers fired: a retry with no limit goes on for ever. */
const turnsMax = 10

/** Starts instances of each workflow in the text, and lets what can happen to them happen. */
export function runWorkflows(text: string): void {
  const world = engineWorld(text)
  const topics = new Set<string>()
  for (const workflow of world.catalogue.listCurrent()) {
    for (const [index, input] of inputs.entries()) world.start(workflow.name, `k${index}`, input)
    for (const { topic } of workflow.start) topics.add(topic)
    for (const task of workflow.tasks) if (task.type === 'kafka-listener') topics.add(task.topic)
  }
  for (const topic of topics) {
    world.record(topic, { id: 'k0', n: 1, ok: true }, { key: 'k0' })
    world.record(topic, 'no object')
  }
  settle(world)
  for (const topic of topics) world.record(topic, { id: 'k1', n: 1, ok: true }, { key: '1' })
  settle(world)
}

/** Handlers answer, every other one with a failure, and what is due next fires. */
function settle(world: EngineWorld): void {
  for (let turn = 0; turn < turnsMax; turn++) {
    world.grantAll()
    for (const { name } of [...world.runs]) {
      if (turn % 2 === 0) world.complete(name, { name })
      else world.fail(name)
    }
    world.runs.length = 0
    const next = world.timers()[0]
    if (next === undefined) return
    world.nowMs = Math.max(world.nowMs, next.dueAtMs)
    world.input(next.partition, { type: 'timer.fire', timer: next.key })
  }
}
