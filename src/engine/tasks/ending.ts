// fail and stop: they end the instance, and nothing in it goes on.
import type { Template } from '../../definition/expression.ts'
import { evaluate, identity, truncate, type Attempt } from '../attempt.ts'
import type { Begin } from './behaviour.ts'

export const beginFail: Begin<'fail'> = (at, out) => {
  const error = {
    code: text(at, at.task.code, 'failed'),
    message: text(at, at.task.reason, `ended by ${at.task.name}`),
  }
  out.event({ type: 'task.completed', ...identity(at), output: undefined })
  out.follow({ type: 'instance.fail', instanceId: at.instance.id, error })
}

export const beginStop: Begin<'stop'> = (at, out) => {
  const reason = text(at, at.task.reason, `ended by ${at.task.name}`)
  out.event({ type: 'task.completed', ...identity(at), output: undefined })
  out.follow({ type: 'instance.stop', instanceId: at.instance.id, reason })
}

function text(at: Attempt, template: Template | undefined, otherwise: string): string {
  if (template === undefined) return otherwise
  const value = evaluate(at, template)
  return truncate(typeof value === 'string' ? value : JSON.stringify(value))
}
