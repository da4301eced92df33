// What the runtime does for a task, beside the state machine: it asks for a slot, and the run is recorded before it
// begins (deciders/task.ts, `task.execute`). A handler module here; http.ts beside it.
//
// I4. The idempotency key is the same for all attempts of a task, and no other's: each run of an interval and each
//     compensation has its own, though they come by at one node.
import { assert } from '../../base/assert.ts'
import type { Json } from '../../base/json.ts'
import type { Template } from '../../definition/expression.ts'
import type { HandlerTask, HttpTask, Task } from '../../definition/workflow.ts'
import { checkPayload, evaluate, identity, lastUndo, type Attempt } from '../attempt.ts'
import type { HandlerRequest, HandlerWork, Performer } from '../effect.ts'
import { nameOfNode, ownerOf, rowAt, taskAt } from '../nodes.ts'
import type { Outcome } from '../outcome.ts'
import { nullPayload, Payload } from '../payload.ts'
import { hasSecrets, marksOf, seal } from '../secrets.ts'
import { traceOf, traceOfInstance } from '../trace.ts'
import type { Begin } from './behaviour.ts'

/** The types whose work takes slots. */
export type WorkTask = HandlerTask | HttpTask

/** True where the runtime does the work of the task. */
export const isWork = (task: Task): task is WorkTask => task.type === 'handler' || task.type === 'http'

export const beginHandler: Begin<'handler'> = (at, out) => {
  const { with: written } = at.task
  const input = written === undefined ? inputOf(at) : sealedPayload(at, (value) => value(written), 'the input')
  askForSlot(at, input, out)
}

/** What is made of templates that may name secrets. @throws {ExpressionError | AttemptFailed} */
export function sealedPayload(
  at: Attempt<WorkTask>,
  make: (value: (template: Template) => Json) => Json,
  what: string,
): Payload {
  if (!at.task.hasSecrets) return checkPayload(Payload.of(make((template) => evaluate(at, template))), what)
  const nonce = at.world.newId()
  const made = make((template) => evaluate(at, template, { secrets: marksOf(template.uses.secrets, nonce) }))
  return checkPayload(Payload.of(seal(made, nonce)), what)
}

/** The task waits for a slot. */
export function askForSlot(at: Attempt, input: Payload, out: Outcome): void {
  out.event({ type: 'task.submitted', ...identity(at), open: { kind: 'slot', input } })
  out.effect(requestOf(at))
}

/** An attempt, as far as its work is told to others. */
type AttemptAtHand = Omit<Attempt, 'world' | 'undo'> & Partial<Pick<Attempt, 'world'>>

/** What asks for a slot for an attempt. */
export const requestOf = (at: AttemptAtHand): HandlerRequest => ({
  type: 'handler.request',
  instanceId: at.instance.id,
  task: at.node,
  attempt: at.number,
  ...performerOf(at.task),
})

/** What a handler is told of the attempt. */
export const workOf = (at: AttemptAtHand, input: Payload): HandlerWork => ({
  instanceId: at.instance.id,
  task: at.node,
  attempt: at.number,
  ...performerOf(at.task),
  name: nameOfNode(at.state, at.instance, at.workflow, at.node),
  key: at.instance.key,
  workflow: at.instance.workflow,
  version: at.instance.version,
  idempotencyKey: idempotencyKeyOf(at),
  input,
  isSealed: hasSecrets(at.task),
  trace: at.world === undefined ? traceOfInstance(at.instance) : traceOf(at, at.world),
})

function performerOf(task: Task): Performer {
  assert(isWork(task), 'T2: only the work of handlers takes slots')
  if (task.type === 'http') return { kind: 'http', handler: 'http', execution: 'main' }
  return { kind: 'module', handler: task.handler, execution: task.execution }
}

/** I4 */
function idempotencyKeyOf(at: AttemptAtHand): string {
  const { instance, node, state, workflow } = at
  const key = `${instance.id}/${nameOfNode(state, instance, workflow, node)}`
  if (at.task.aside === 'compensation') {
    const kind = lastUndo(state, instance)?.kind
    return kind === undefined ? key : `${key}/${kind}-${kind === 'unknown' ? instance.unknowns : instance.undos}`
  }
  const owner = ownerOf(state, instance, workflow, node)
  if (owner === undefined || taskAt(workflow, owner).type !== 'interval') return key
  return `${key}@${rowAt(state, instance, node)?.startedAtMs ?? 0}`
}

/** With no `with`: what compensates a task is given that task's input and output, any other handler nothing. */
function inputOf({ undo }: Attempt): Payload {
  if (undo === undefined) return nullPayload
  return checkPayload(Payload.of({ input: undo.input.value, output: undo.output.value }), 'the input')
}
