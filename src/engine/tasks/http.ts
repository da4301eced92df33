// http: what the request is to be is evaluated once, as a handler's input is; the runtime sends it (handlers/http.ts).
import type { Json } from '../../base/json.ts'
import { checkPayload, evaluate } from '../attempt.ts'
import { Payload } from '../payload.ts'
import type { Begin } from './behaviour.ts'
import { askForSlot } from './handler.ts'

const bodiless: ReadonlySet<Json> = new Set(['GET', 'HEAD'])

export const beginHttp: Begin<'http'> = (at, out) => {
  const { task, instance, undo } = at
  const headers: { [name: string]: Json } = Object.create(null)
  for (const [name, template] of task.headers ?? []) headers[name] = evaluate(at, template)
  const isTraced = Object.keys(headers).some((name) => name.toLowerCase() === 'traceparent')
  if (instance.traceparent !== undefined && !isTraced) headers['traceparent'] = instance.traceparent
  const method = evaluate(at, task.method)
  const request: { [key: string]: Json } = { url: evaluate(at, task.url), method, headers }
  if (task.body !== undefined) request['body'] = evaluate(at, task.body)
  // With no `body`: what compensates a task is given that task's input and output.
  else if (undo !== undefined && !bodiless.has(method))
    request['body'] = { input: undo.input.value, output: undo.output.value }
  askForSlot(at, checkPayload(Payload.of(request), 'the request'), out)
}
