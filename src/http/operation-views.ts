// Operations as they are told, and the JSON Schemas of that.
import type { Action } from '../runtime/face.ts'
import { filterMembers, filterNames } from './instance-query.ts'
import { count, flag, list, object, text, time } from './schemas.ts'

export const actionKinds = [
  'retry',
  'skip',
  'complete',
  'stop',
  'fail',
  'suspend',
  'resume',
  'signal',
  'set',
] as const satisfies readonly Action['kind'][]

export const operationView = object(
  {
    id: text,
    action: { enum: actionKinds },
    filter: object(filterMembers, filterNames),
    by: text,
    isDryRun: flag,
    worker: text,
    status: { enum: ['counting', 'running', 'cancelling', 'completed', 'cancelled', 'failed'] },
    startedAt: time,
    endedAt: time,
    counts: object({ matched: count, done: count, refused: count, failed: count, doneBefore: count, left: count }),
    hasMore: flag,
    codes: { type: 'object', additionalProperties: count },
    refusals: list(object({ instanceId: text, code: text, message: text })),
    error: object({ code: text, message: text }),
  },
  ['endedAt', 'error'],
)
