// What answers look like, as JSON Schema: the shapes of runtime/face.ts, for the OpenAPI document. Answers are written by
// JSON.stringify, not by these, so that a schema that lags behind drops nothing; the tests hold every answer against them.
import { count, flag, json, list, object, text, texts, time, type Schema } from './schemas.ts'

export const instanceStatuses = ['EXECUTING', 'SUSPENDED', 'COMPENSATING', 'COMPLETED', 'FAILED', 'STOPPED'] as const
const taskStatuses = ['NOT_STARTED', 'SUBMITTED', 'EXECUTING', 'COMPLETED', 'FAILED', 'SKIPPED', 'STOPPED']

export const taskError = object({ code: text, message: text })

/** What every telling of an instance begins with. */
export const instanceMembers = {
  id: text,
  workflow: text,
  version: text,
  key: text,
  status: { enum: instanceStatuses },
  incidents: count,
}

const summaryMembers = {
  ...instanceMembers,
  startedAt: time,
  endedAt: time,
  waitingAt: texts,
  incidentsAt: texts,
  attributes: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
}

export const instanceSummary = object(summaryMembers, ['endedAt', 'incidentsAt', 'attributes'])

const taskView = object(
  {
    name: text,
    type: text,
    scope: text,
    status: { enum: taskStatuses },
    attempt: count,
    startedAt: time,
    endedAt: time,
    error: taskError,
    hasIncident: flag,
    output: json,
    waitsFor: text,
  },
  ['scope', 'startedAt', 'endedAt', 'error', 'output', 'waitsFor'],
)

const timelineMembers = { at: time, task: text, status: text, attempt: count, note: text }
const timelineOptional = ['task', 'attempt', 'note']
const timelineEntry = object(timelineMembers, timelineOptional)
export const numberedEntry = object({ number: count, ...timelineMembers }, timelineOptional)

export const instanceView = object(
  {
    ...summaryMembers,
    partition: count,
    input: json,
    vars: { type: 'object' },
    attributesAbsent: { type: 'object', additionalProperties: text },
    output: json,
    error: taskError,
    origin: text,
    tasks: list(taskView),
    tasksLeftOut: count,
    timeline: list(timelineEntry),
    timelineDropped: count,
  },
  ['endedAt', 'incidentsAt', 'attributes', 'attributesAbsent', 'output', 'error'],
)

export const topicView = object({
  name: text,
  partitions: list(object({ partition: count, earliest: count, end: count })),
})

export const recordView = object(
  {
    partition: count,
    offset: count,
    timestamp: time,
    key: { type: ['string', 'null'] },
    keyBase64: text,
    value: json,
    valueBase64: text,
    headers: { type: 'object', additionalProperties: text },
  },
  ['keyBase64', 'valueBase64'],
)

export const recordPlace = object({
  topic: text,
  partition: count,
  offset: count,
  timestamp: { type: ['string', 'null'], format: 'date-time', description: 'RFC 3339' },
})
export const textOrNull: Schema = { type: ['string', 'null'] }

export const redriveView = object({ at: time, topic: text, partition: count, by: text }, ['by'])
const deadLetterMembers = {
  partition: count,
  offset: count,
  at: time,
  reason: text,
  message: text,
  workflows: texts,
  source: recordPlace,
  key: textOrNull,
  keyBase64: text,
  bytes: object({ key: count, value: count, headers: count }),
  isKept: flag,
  redrivenTimes: count,
  redriven: redriveView,
}
const deadLetterOptional = ['keyBase64', 'redriven']

export const deadLetterSummary = object(deadLetterMembers, deadLetterOptional)
export const deadLetterView = object(
  {
    ...deadLetterMembers,
    value: json,
    valueBase64: text,
    valueSha256: text,
    headers: list(object({ key: text, value: textOrNull, valueBase64: text }, ['valueBase64'])),
    first: recordPlace,
  },
  [...deadLetterOptional, 'valueBase64', 'first'],
)
export const redrivenTo = object({ topic: text, partition: count, offset: count })
export const redriveResult = object(
  {
    partition: count,
    offset: count,
    source: recordPlace,
    outcome: { enum: ['redriven', 'pending', 'failed'] },
    to: redrivenTo,
    code: text,
    message: text,
  },
  ['to', 'code', 'message'],
)

export const definitionProblem = object(
  {
    code: text,
    message: text,
    place: object({ file: text, line: count, column: count }),
    path: text,
    suggestion: text,
    frame: text,
  },
  ['place', 'path', 'suggestion', 'frame'],
)

export const partitionPhases = ['created', 'restoring', 'running', 'draining', 'closed', 'stopped'] as const

export const partitionMembers = {
  partition: count,
  phase: { enum: partitionPhases },
  reason: text,
  restoreLeft: count,
  restorePerSecond: count,
  restoreSecondsLeft: count,
}
export const partitionOptional = ['reason', 'restorePerSecond', 'restoreSecondsLeft']
const partitionView = object(partitionMembers, partitionOptional)

const workflowMembers = { name: text, version: text, label: text, description: text, startTopics: texts }
const workflowView = object(workflowMembers, ['label', 'description'])

const instanceCount = object({ open: count, kept: count })
const versionMembers = {
  ...workflowMembers,
  isCurrent: flag,
  publishedAt: time,
  publishedFrom: object({ source: text, file: text }),
  instances: instanceCount,
}
const versionOptional = ['label', 'description', 'publishedFrom']

export const workflowVersion = object(versionMembers, versionOptional)
export const workflowDetail = object({ ...versionMembers, definition: json }, versionOptional)
export const workflowSummary = object(
  { ...versionMembers, versions: count, instancesInAll: instanceCount },
  versionOptional,
)
export const counted = object({ isComplete: flag, instances: count, partitions: count, partitionsInAll: count })

const position = object({ partition: count, position: { type: ['integer', 'null'] } })

/** A worker as it says that it is. */
export const workerRecord = object({
  worker: text,
  url: text,
  startedAt: time,
  at: time,
  owned: list(position),
  copies: list(position),
})

export const workerView = object({
  app: text,
  workerId: text,
  log: { enum: ['embedded', 'kafka', 'memory'] },
  isReady: flag,
  problems: texts,
  definitionProblems: list(definitionProblem),
  partitions: list(partitionView),
  lag: list(object({ topic: text, records: count, oldestAgeMs: count }, ['oldestAgeMs'])),
  copies: list(count),
  workflows: list(workflowView),
  counters: { type: 'object', additionalProperties: { type: 'number' } },
})
