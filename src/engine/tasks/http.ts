// http: what the request is to be is evaluated once, as a handler's input is; the runtime sends it (handlers/http.ts).
import type { Json } from '../../base/json.ts'
import type { Begin } from './behaviour.ts'
import { askForSlot, sealedPayload } from './handler.ts'

const bodiless: ReadonlySet<Json> = new Set(['GET', 'HEAD'])

export const beginHttp: Begin<'http'> = (at, out) => {
  const { task, undo } = at
  const request = sealedPayload(
    at,
    (value) => {
      const headers: { [name: string]: Json } = Object.create(null)
      for (const [name, template] of task.headers ?? []) headers[name] = value(template)
      const method = value(task.method)
      const made: { [key: string]: Json } = { url: value(task.url), method, headers }
      if (task.body !== undefined) made['body'] = value(task.body)
      // With no `body`: what compensates a task is given that task's input and output.
      else if (undo !== undefined && !bodiless.has(method))
        made['body'] = { input: undo.input.value, output: undo.output.value }
      return made
    },
    'the request',
  )
  askForSlot(at, request, out)
}
