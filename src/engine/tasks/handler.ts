// A handler module: asks for a slot; the run is recorded before it begins (deciders/task.ts, `task.execute`).
import { checkPayload } from '../attempt.ts'
import { nullPayload, Payload } from '../payload.ts'
import { rootsFor } from '../roots.ts'
import type { Begin } from './behaviour.ts'

export const beginHandler: Begin<'handler'> = (at, out) => {
  const { instance, task, world, workflow } = at
  const template = task.with
  const input =
    template === undefined
      ? nullPayload
      : checkPayload(
          Payload.of(template.evaluate(rootsFor(template.uses, workflow, instance, world.nowMs))),
          'the input',
        )
  out.event({
    type: 'task.submitted',
    instanceId: instance.id,
    task: task.index,
    attempt: at.number,
    atMs: world.nowMs,
    open: { kind: 'slot', input },
  })
  out.effect({
    type: 'handler.request',
    instanceId: instance.id,
    task: task.index,
    attempt: at.number,
    handler: task.handler,
  })
}
