// What answers to "why" and "how does it stand" look like, as JSON Schema: the shapes of runtime/face.ts, as views.ts has the
// others.
import { timerKinds } from '../runtime/face.ts'
import { count, flag, json, list, object, text, texts, time, type Schema } from './schemas.ts'
import {
  definitionProblem,
  instanceMembers,
  instanceStatuses,
  partitionMembers,
  partitionOptional,
  recordPlace,
  taskError,
  textOrNull,
} from './views.ts'

const help = object(
  {
    action: { enum: ['retry', 'skip', 'complete', 'resume', 'signal'], description: 'POST /instances/{id}/{action}' },
    task: text,
    name: text,
    why: text,
  },
  ['task', 'name'],
)

const nearMiss = object(
  {
    partition: count,
    offset: count,
    timestamp: textOrNull,
    reason: {
      enum: [
        'value-differs',
        'other-pair-differs',
        'where-false',
        'where-failed',
        'expression-failed',
        'no-value',
        'unreadable',
        'too-early',
        'taken-by-another',
        'not-read-yet',
        'fits',
      ],
    },
    found: text,
    message: text,
    takenBy: text,
  },
  ['found', 'takenBy'],
)

const listenerExplanation = object(
  {
    topic: text,
    pairs: list(object({ message: text, instance: text, value: text })),
    where: text,
    untilTrue: text,
    match: { enum: ['one', 'all'] },
    keepMs: count,
    isAhead: flag,
    nearMisses: object(
      {
        items: list(nearMiss),
        recordsLookedAt: count,
        partitionsLookedAt: count,
        partitions: count,
        others: count,
        trouble: text,
      },
      ['trouble'],
    ),
  },
  ['where', 'untilTrue'],
)

const handlerExplanation = object(
  {
    handler: text,
    worker: text,
    state: { enum: ['waiting', 'granted', 'running', 'stopping', 'lost'] },
    run: count,
    behind: count,
    slotsBusy: count,
    slots: count,
    concurrency: count,
    heardAt: time,
    progress: json,
  },
  ['behind', 'concurrency', 'heardAt', 'progress'],
)

const childExplanation = object(
  {
    workflow: text,
    key: text,
    partition: count,
    instanceId: text,
    status: { enum: instanceStatuses },
    incidents: count,
  },
  ['instanceId', 'status', 'incidents'],
)

const taskExplanation = object(
  {
    task: text,
    type: text,
    kind: {
      enum: ['incident', 'record', 'time', 'retry', 'slot', 'handler', 'interval', 'child', 'signal', 'stopping'],
    },
    waitsFor: text,
    since: time,
    until: time,
    afterwards: text,
    attempt: count,
    attemptsMax: { ...Object(count), description: '0: as many as it takes' },
    error: taskError,
    listener: listenerExplanation,
    handler: handlerExplanation,
    child: childExplanation,
    help: list(help),
  },
  ['until', 'afterwards', 'error', 'listener', 'handler', 'child'],
)

export const instanceExplanation = object(
  {
    ...instanceMembers,
    summary: text,
    error: taskError,
    tasks: list(taskExplanation),
    tasksLeftOut: count,
    collected: { type: 'object', additionalProperties: count },
    queued: list(object({ place: count, origin: text })),
    help: list(help),
  },
  ['error', 'collected'],
)

const recordUse = object(
  {
    workflow: text,
    kind: { enum: ['start', 'listen'] },
    expression: text,
    value: text,
    partition: count,
    outcome: {
      enum: [
        'started',
        'queued',
        'taken',
        'kept',
        'ignored',
        'not-wanted',
        'refused',
        'failed',
        'not-taken',
        'not-read',
        'elsewhere',
        'unknown',
      ],
    },
    message: text,
    instances: texts,
    violations: list(object({ pointer: text, message: text })),
  },
  ['expression', 'value', 'partition', 'violations'],
)

export const recordExplanation = object(
  {
    topic: text,
    partition: count,
    offset: count,
    summary: text,
    state: { enum: ['there', 'not-yet', 'gone'] },
    timestamp: textOrNull,
    key: textOrNull,
    keyBase64: text,
    valueBytes: count,
    reading: { enum: ['read', 'behind', 'before-the-first', 'not-a-source', 'unknown'] },
    behind: count,
    suggestion: text,
    uses: list(recordUse),
    letters: list(
      object({ partition: count, offset: count, reason: text, message: text, workflows: texts, redriven: flag }),
    ),
  },
  ['timestamp', 'key', 'keyBase64', 'valueBytes', 'behind', 'suggestion'],
)

export const timerView = object(
  {
    cursor: text,
    partition: count,
    dueAt: time,
    kind: { enum: timerKinds },
    what: text,
    workflow: text,
    key: text,
    instanceId: text,
    task: text,
  },
  ['workflow', 'key', 'instanceId', 'task'],
)

export const subscriptionView = object({
  cursor: text,
  partition: count,
  workflow: text,
  topic: text,
  value: text,
  waiting: count,
  waiters: list(object({ instanceId: text, task: text, since: time, others: texts })),
})

export const keptView = object(
  {
    cursor: text,
    partition: count,
    workflow: text,
    value: text,
    source: recordPlace,
    arrivedAt: time,
    expiresAt: time,
    bytes: count,
    onExpired: { enum: ['drop', 'dead-letter'] },
    key: textOrNull,
    keyBase64: text,
    record: json,
    recordBase64: text,
  },
  ['keyBase64', 'record', 'recordBase64'],
)

const countOrNull: Schema = { type: ['integer', 'null'], minimum: 0 }

const sourceStanding = object(
  { topic: text, partition: count, position: count, end: count, behind: count, oldestUnreadAt: time, trouble: text },
  ['end', 'behind', 'oldestUnreadAt', 'trouble'],
)

export const partitionStanding = object(
  {
    ...partitionMembers,
    worker: text,
    sources: list(sourceStanding),
    changelog: object({ position: countOrNull, end: count }),
    copies: list(object({ worker: text, position: countOrNull, behind: countOrNull })),
    kept: object({ records: count, bytes: count }),
    timersOverdue: count,
    nextTimerAt: time,
  },
  [...partitionOptional, 'changelog', 'nextTimerAt'],
)

export const incidents = object({
  groups: list(object({ workflow: text, task: text, code: text, count, instanceId: text, message: text }, ['task'])),
  instancesLookedAt: count,
  isCut: flag,
})

export const durability: Schema = object(
  {
    kind: { enum: ['this-disk', 'brokers', 'memory'] },
    directory: text,
    bytes: count,
    changelog: text,
    replicas: count,
    minInsyncReplicas: count,
  },
  ['directory', 'bytes', 'changelog', 'replicas', 'minInsyncReplicas'],
)

export const workerStanding = object({
  worker: text,
  problems: texts,
  definitionProblems: list(definitionProblem),
  partitions: list(partitionStanding),
  incidents,
  durability,
})
