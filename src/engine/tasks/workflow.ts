// workflow: starts another workflow as a child, on the partition of the child's key, and waits for its end
// (deciders/child.ts). The child's key is its own, so that it obeys `onRunning` and `onClosed` like any other start.
import { limits } from '../../base/limits.ts'
import { partitionOfText } from '../../base/partitioner.ts'
import { armTaskTimer, AttemptFailed, checkPayload, evaluate, identity, truncate } from '../attempt.ts'
import { canonicalText } from '../correlation.ts'
import { nameOfNode } from '../nodes.ts'
import { nullPayload, Payload } from '../payload.ts'
import { traceOf } from '../trace.ts'
import type { Begin } from './behaviour.ts'

export const beginWorkflow: Begin<'workflow'> = (at, out) => {
  const { instance, state, task, world } = at
  const name = evaluate(at, task.workflow)
  const workflow = typeof name === 'string' ? world.catalogue.current(name) : undefined
  if (workflow === undefined) {
    throw new AttemptFailed('workflow-not-found', `there is no workflow ${truncate(JSON.stringify(name))}`)
  }
  const own = `${instance.id}/${nameOfNode(state, instance, at.workflow, at.node)}`
  const key = task.key === undefined ? own : canonicalText(evaluate(at, task.key))
  if (key === undefined || key === '' || key.length > limits.keyLengthMax) {
    throw new AttemptFailed(
      'expression',
      `key: expected a text of 1 to ${limits.keyLengthMax} characters or a whole number`,
    )
  }
  const input =
    task.input === undefined ? nullPayload : checkPayload(Payload.of(evaluate(at, task.input)), "the child's input")
  const timer = task.timeoutMs === undefined ? undefined : armTaskTimer(at, world.nowMs + task.timeoutMs, out)
  out.event({ type: 'task.executing', ...identity(at), open: { kind: 'child', workflow: workflow.name, key, timer } })
  out.send(world, partitionOfText(key, world.partitions), {
    type: 'instance.start',
    workflow: workflow.name,
    version: workflow.version,
    key,
    trace: traceOf(at, world),
    origin: { kind: 'parent', parent: { instanceId: instance.id, task: at.node, attempt: at.number }, input },
  })
}
