// A handler thread: imports the module that it is told of, from the file that the registry found, and runs it. It is an
// entry of its own (threads.ts starts it); everything goes through messages.
import { parentPort } from 'node:worker_threads'
import { writeJson, type Json } from '../base/json.ts'
import type { Logger } from '../base/logger.ts'
import { retryHintsOf, thrownText } from '../base/thrown.ts'
import type { Handler, HandlerStop, HandlerTaskInput } from './contract.ts'
import type { FromThread, Part, TaskData, ToThread } from './thread-messages.ts'

interface Exports {
  readonly default: Handler
  readonly stop?: HandlerStop
}

/** The task at hand. */
interface Current {
  readonly call: number
  readonly task: HandlerTaskInput
  readonly controller: AbortController
  readonly timeUp: AbortController
}

let current: Current | undefined

parentPort?.on('message', (message: ToThread) => {
  switch (message.type) {
    case 'run':
    case 'stop':
      void perform(message.type, message.href, begin(message))
      return
    case 'abort':
      if (current?.call === message.call) current.controller.abort(new Error(message.reason))
      return
    case 'time-up':
      if (current?.call === message.call) current.timeUp.abort(new Error('the time to stop is over'))
  }
})

// As in the main thread: it is told, and ends nothing.
process.on('unhandledRejection', (error) => {
  current?.task.logger.error({ error: thrownText(error) }, 'a promise that a handler forgot was rejected')
})

/** `stop` is given the task that `run` was given; where that was elsewhere, one whose signal is aborted already. */
function begin({ type, call, task: data }: { type: Part; call: number; task: TaskData }): Current {
  if (current?.call === call) return current
  const controller = new AbortController()
  if (type === 'stop') controller.abort(new Error('the task was stopped'))
  const task: HandlerTaskInput = {
    ...data,
    signal: controller.signal,
    logger: loggerOf(call, {}),
    heartbeat: (progress: Json = null) => tell({ type: 'heartbeat', call, progress }),
  }
  current = { call, task, controller, timeUp: new AbortController() }
  return current
}

async function perform(part: Part, href: string, { call, task, timeUp }: Current): Promise<void> {
  try {
    const module = (await import(href)) as Exports
    const result: unknown = await (part === 'run' ? module.default(task) : module.stop?.(task, timeUp.signal))
    tell({ type: 'returned', call, part, text: part === 'run' ? outputText(result) : undefined })
  } catch (error) {
    tell({ type: 'threw', call, part, message: thrownText(error), hints: retryHintsOf(error) })
  }
}

function outputText(result: unknown): string | undefined {
  try {
    return result === undefined ? undefined : writeJson(result)
  } catch (error) {
    const message = `the handler returned what JSON cannot hold: ${thrownText(error)}`
    throw Object.assign(new Error(message), { code: 'output-not-json', retryable: false })
  }
}

function loggerOf(call: number, fixed: object): Logger {
  const write =
    (level: Extract<FromThread, { type: 'log' }>['level']) =>
    (fields: object, message: string): void =>
      tell({ type: 'log', call, level, fields: fieldsText({ ...fixed, ...fields }), message })
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => loggerOf(call, { ...fixed, ...fields }),
  }
}

function fieldsText(fields: object): string {
  try {
    return JSON.stringify(fields, (_key, value: unknown) =>
      value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value,
    )
  } catch {
    return '{}'
  }
}

function tell(message: FromThread): void {
  parentPort?.postMessage(message)
}
