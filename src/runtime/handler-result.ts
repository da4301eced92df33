// What a handler returned or threw, as a command. Strangers' code: whatever comes is made into data or into an error.
import { writeJson, type Json } from '../base/json.ts'
import { limits } from '../base/limits.ts'
import { retryHintsOf, thrownText } from '../base/thrown.ts'
import type { Command, TaskFail } from '../engine/command.ts'
import type { HandlerWork } from '../engine/effect.ts'
import { nullPayload, Payload } from '../engine/payload.ts'
import { truncate } from '../engine/attempt.ts'
import type { ValueSchema, Violation } from '../handlers/contract.ts'

const encoder = new TextEncoder()

/** Completes the task with what was returned; fails it where that is not JSON or too large. */
export function resultCommand(run: HandlerWork, returned: unknown): Command {
  const { instanceId, task, attempt } = run
  if (returned === undefined || returned === null)
    return { type: 'task.complete', instanceId, task, attempt, output: nullPayload }
  let text: string | undefined
  try {
    text = writeJson(returned)
  } catch (error) {
    return failure(
      run,
      'output-not-json',
      `the handler returned what JSON cannot hold: ${thrownText(error)}`,
      false,
      undefined,
    )
  }
  if (text === undefined)
    return failure(
      run,
      'output-not-json',
      `the handler returned a ${typeof returned}, which is not JSON`,
      false,
      undefined,
    )
  const bytes = encoder.encode(text)
  if (bytes.length > limits.payloadBytesMax) {
    const message = `the handler returned ${bytes.length} bytes; at most ${limits.payloadBytesMax} can be kept. Keep the data elsewhere and return a reference.`
    return failure(run, 'payload-too-large', message, false, undefined)
  }
  return { type: 'task.complete', instanceId, task, attempt, output: Payload.ofBytes(bytes, JSON.parse(text) as Json) }
}

/** Fails the attempt with what was thrown; its `code`, `retryable: false` and `retryAfterMs` steer the retry. */
export function failureCommand(run: HandlerWork, thrown: unknown): Command {
  const { code = 'handler', retryable = true, retryAfterMs } = retryHintsOf(thrown)
  return failure(run, code.slice(0, 100), thrownText(thrown), retryable, retryAfterMs)
}

/** Fails the attempt for good where its output is not what the module says that it is. */
export function checkedOutput(run: HandlerWork, command: Command, schema: ValueSchema | undefined): Command {
  if (schema === undefined || command.type !== 'task.complete') return command
  const violations = schema.validate(command.output.value)
  if (violations.length === 0) return command
  return failure(run, 'output-invalid', violationText('output', violations), false, undefined)
}

/** The input is not what the module asks for: no attempt will find another one. */
export class InputInvalid extends Error {
  override readonly name = 'InputInvalid'
  readonly code = 'input-invalid'
  readonly retryable = false
  constructor(violations: readonly Violation[]) {
    super(violationText('input', violations))
  }
}

const violationsShown = 5

function violationText(what: 'input' | 'output', violations: readonly Violation[]): string {
  const shown = violations.slice(0, violationsShown).map(({ pointer, message }) => `${pointer || 'it'} ${message}`)
  const more = violations.length > violationsShown ? `; and ${violations.length - violationsShown} more` : ''
  return `the ${what} does not fit the schema that the handler exports: ${shown.join('; ')}${more}`
}

function failure(
  run: HandlerWork,
  code: string,
  message: string,
  isRetryable: boolean,
  afterMs: number | undefined,
): TaskFail {
  const { instanceId, task, attempt } = run
  return {
    type: 'task.fail',
    instanceId,
    task,
    attempt,
    error: { code, message: truncate(message) },
    isRetryable,
    afterMs,
  }
}
