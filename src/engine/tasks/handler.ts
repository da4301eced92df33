// A handler module: asks for a slot; the run is recorded before it begins (deciders/task.ts, `task.execute`).
import { checkPayload, evaluate, identity, type Attempt } from '../attempt.ts'
import { nullPayload, Payload } from '../payload.ts'
import type { Begin } from './behaviour.ts'

export const beginHandler: Begin<'handler'> = (at, out) => {
  const { instance, task } = at
  const input = task.with === undefined ? inputOf(at) : checkPayload(Payload.of(evaluate(at, task.with)), 'the input')
  out.event({
    type: 'task.submitted',
    ...identity(at),
    open: { kind: 'slot', input },
  })
  out.effect({
    type: 'handler.request',
    instanceId: instance.id,
    task: at.node,
    attempt: at.number,
    handler: task.handler,
  })
}

/** With no `with`: what compensates a task is given that task's input and output, any other handler nothing. */
function inputOf({ undo }: Attempt): Payload {
  if (undo === undefined) return nullPayload
  return checkPayload(Payload.of({ input: undo.input.value, output: undo.output.value }), 'the input')
}
