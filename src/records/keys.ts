// Every key family of the state and of the definitions topic. Prefixes are never reused, so that an old store opens
// in a new release.
import type { TableName } from '../engine/state.ts'

/** Prefix of each table's keys in the store and in the changelog. */
export const prefixes: { readonly [Name in TableName]: string } = {
  instances: 'i/',
  blocks: 'g/',
  undos: 'u/',
  deferred: 'd/',
  keys: 'k/',
  queued: 'q/',
  channels: 'c/',
  crowd: 'm/',
  kept: 'b/',
  keptTotals: 'n/',
  timers: 't/',
  work: 'w/',
  schedules: 's/',
  answers: 'a/',
  attributes: 'x/',
}

/** Where a partition is in a topic that it reads. */
export const positionPrefix = 'p/'
export const positionKey = (topic: string, partition: number): string => `${positionPrefix}${topic}/${partition}`

/** A payload that is a value of its own: of an instance, by its place in it. */
export const payloadKey = (instanceId: string, place: string): string => `o/${instanceId}/${place}`

/** The end of a prefix's range: after every key that starts with it. */
export const endOf = (prefix: string): string =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)

/** Topics of an application. */
export const topicsOf = (app: string) => ({
  inbox: `${app}.inbox`,
  changelog: `${app}.changelog`,
  definitions: `${app}.definitions`,
  workers: `${app}.workers`,
  deadLetter: `${app}.dead-letter`,
  updates: `${app}.updates`,
})
export type AppTopics = ReturnType<typeof topicsOf>

/** Topics that only the application itself may write: a stranger's record there would be taken for its state. */
export const ownTopics = (topics: AppTopics): ReadonlySet<string> => new Set(Object.values(topics))
