// What people, and systems, do to an instance. Everything is answered, and stands in the instance's history with who
// did it.
import { limits } from '../../base/limits.ts'
import { attemptOf, checkPayload, checkVars, taskErrorOf } from '../attempt.ts'
import type { Action, InstanceOperate } from '../command.ts'
import type { ActionAnswer } from '../effect.ts'
import type { Event } from '../event.ts'
import { orFail } from '../failure.ts'
import { nodesOf, rowAt, taskAt } from '../nodes.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import type { Payload } from '../payload.ts'
import type { InstanceRow, State } from '../state.ts'
import { withdraw } from '../stopping.ts'
import { takeSignal } from '../tasks/signal.ts'
import { writeVars, type VarValues } from '../vars.ts'
import type { World } from '../world.ts'
import { expectWorkflow } from './instance.ts'
import { completeByHand, retryByHand, skipByHand } from './by-hand.ts'
import { Refused } from './refused.ts'
import { resume } from './suspension.ts'

export const operateInstance: Decider<'instance.operate'> = (command, state, world) => {
  const answered = (out: Outcome, answer: ActionAnswer): Outcome =>
    out.effect({ type: 'call.answer', call: command.call, answer })
  const instance = state.instances.find(command.instanceId)
  try {
    if (instance === undefined)
      throw new Refused('instance-not-found', 'there is no such instance, or it is not kept any more')
    return answered(act(command, instance, state, world), { outcome: 'done' })
  } catch (error) {
    if (error instanceof Refused)
      return answered(accept(), { outcome: 'refused', code: error.code, message: error.message })
    const { code, message } = taskErrorOf(error)
    const refusal = code === 'payload-too-large' ? code : 'expression'
    return answered(accept(), { outcome: 'refused', code: refusal, message })
  }
}

function act({ action, by }: InstanceOperate, instance: InstanceRow, state: State, world: World): Outcome {
  switch (action.kind) {
    case 'suspend':
      expectStatus(instance, ['EXECUTING'], action)
      return accept().event({ type: 'instance.suspended', instanceId: instance.id, by, atMs: world.nowMs })
    case 'resume':
      expectStatus(instance, ['SUSPENDED'], action)
      return resume(instance, by, state, world)
    case 'stop':
      expectStatus(instance, ['EXECUTING', 'SUSPENDED'], action)
      return operated(instance, by, action, world).follow({
        type: 'instance.stop',
        instanceId: instance.id,
        reason: action.reason,
      })
    case 'fail':
      expectStatus(instance, ['EXECUTING', 'SUSPENDED'], action)
      return operated(instance, by, action, world).follow({
        type: 'instance.fail',
        instanceId: instance.id,
        error: { code: 'failed-by-hand', message: action.reason },
      })
    case 'signal':
      // What compensates a task may wait for one.
      expectStatus(instance, ['EXECUTING', 'SUSPENDED', 'COMPENSATING'], action)
      return signal(instance, action.name, action.payload, state, world).event(
        operatedEvent(instance, by, action, world),
      )
    case 'set':
      expectStatus(instance, ['EXECUTING', 'SUSPENDED', 'COMPENSATING'], action)
      checkVars(instance.vars, action.values)
      return setVars(instance, action.values, operated(instance, by, action, world), world)
    case 'retry':
      expectStatus(instance, ['EXECUTING', 'COMPENSATING', 'FAILED'], action)
      return retryByHand(instance, action, by, state, world)
    case 'skip':
      expectStatus(instance, ['EXECUTING', 'COMPENSATING'], action)
      return skipByHand(instance, action, by, state, world)
    case 'complete':
      expectStatus(instance, ['EXECUTING', 'COMPENSATING'], action)
      checkPayload(action.output, 'the output')
      return completeByHand(instance, action, by, state, world)
  }
}

function setVars(instance: InstanceRow, values: VarValues, out: Outcome, world: World): Outcome {
  const common = { instanceId: instance.id, task: -1, scope: undefined, attempt: 0, atMs: world.nowMs }
  writeVars(common, values, expectWorkflow(world, instance.version), out)
  return out
}

const operated = (instance: InstanceRow, by: string, action: Action, world: World): Outcome =>
  accept().event(operatedEvent(instance, by, action, world))

function operatedEvent(instance: InstanceRow, by: string, { kind }: Action, world: World): Event {
  return { type: 'instance.operated', instanceId: instance.id, note: `${kind} ${by}`, atMs: world.nowMs }
}

function expectStatus(instance: InstanceRow, statuses: readonly InstanceRow['status'][], { kind }: Action): void {
  if (instance.ending?.status === 'STOPPED' && instance.endedAtMs === undefined)
    throw new Refused('not-now', `${kind}: the instance is being stopped`)
  if (statuses.includes(instance.status)) return
  throw new Refused('not-now', `${kind}: the instance is ${instance.status}; it must be ${statuses.join(' or ')}`)
}

/** To the task that has waited longest for it; else it is kept for one to come. */
function signal(instance: InstanceRow, name: string, payload: Payload, state: State, world: World): Outcome {
  checkPayload(payload, 'the signal')
  const node = instance.status === 'SUSPENDED' ? undefined : waitingFor(instance, name, state, world)
  if (node === undefined) {
    const bytes = instance.signals.reduce((sum, each) => sum + each.payload.bytes.length, payload.bytes.length)
    if (instance.signals.length >= limits.signalsMax || bytes > limits.signalsBytesMax) {
      const message = `${instance.signals.length} signals wait in this instance for a task that takes them: no more fit`
      throw new Refused('signals-full', message)
    }
    return accept().event({ type: 'signal.kept', instanceId: instance.id, signal: { name, payload } })
  }
  const row = rowAt(state, instance, node)
  const place = { state, instance, workflow: expectWorkflow(world, instance.version), node }
  const at = attemptOf(place, world, row?.attempt ?? 1)
  return orFail(at, (out) => {
    withdraw(at, row?.open, out)
    takeSignal(at, payload, out)
  })
}

/** The node of the task that has waited longest for a signal. */
function waitingFor(instance: InstanceRow, name: string, state: State, world: World): number | undefined {
  const workflow = expectWorkflow(world, instance.version)
  if (!workflow.tasks.some((task) => task.type === 'signal' && task.signal === name)) return undefined
  let found: { node: number; sinceMs: number } | undefined
  for (const node of nodesOf(state, instance, workflow)) {
    const task = taskAt(workflow, node)
    if (task.type !== 'signal' || task.signal !== name) continue
    const row = rowAt(state, instance, node)
    if (row?.open?.kind !== 'signal') continue
    if (found === undefined || row.startedAtMs < found.sinceMs) found = { node, sinceMs: row.startedAtMs }
  }
  return found?.node
}
