// Every record of every topic that the application reads, and what should become of it by the definitions alone: which
// instances it starts, which correlation values it is for, or why nobody can use it. Worked out anew from the records
// and the compiled workflows, not from what the engine did.
import type { Json } from '../../../src/base/json.ts'
import { limits } from '../../../src/base/limits.ts'
import type { Workflow } from '../../../src/definition/workflow.ts'
import { canonicalText } from '../../../src/engine/correlation.ts'
import { UnusableRecord } from '../../../src/engine/format.ts'
import { coordinates, messageOf, type MessageRoot, type SourceRecord } from '../../../src/engine/message.ts'
import type { InputPosition } from '../../../src/records/row-codec.ts'
import type { Version } from '../committed.ts'
import type { Seen } from '../history.ts'
import type { Finished } from './finished.ts'

/** A record of a source. */
export interface Source {
  readonly topic: string
  readonly seen: Seen
  readonly record: SourceRecord
  /** "orders/3@17" */
  readonly coordinates: string
  readonly message: MessageRoot | undefined
  /** The position with which its owner took it; undefined: never, or reading began behind it. */
  readonly taken: Version<InputPosition> | undefined
  /** It was deleted, perhaps before it was read. */
  readonly mayBeGone: boolean
  readonly uses: Uses
}

/** What some release makes of a record; `isCertain` where every release does. */
export interface Uses {
  /** Why it cannot be read at all. */
  readonly unusable: string | undefined
  readonly starts: readonly StartUse[]
  readonly channels: readonly ChannelUse[]
  /** Workflows with a start, or a listener, that the record makes fail. */
  readonly failures: readonly { readonly workflow: string; readonly isStart: boolean; readonly isCertain: boolean }[]
}
export interface StartUse {
  readonly workflow: string
  readonly key: string
  readonly isCertain: boolean
}
export interface ChannelUse {
  readonly workflow: string
  readonly value: string
  readonly isCertain: boolean
}

/** The records of all topics that are read, in no order. */
export function sourcesOf({ committed, releases, plan, world }: Finished): readonly Source[] {
  const topics = new Set(committed.changelogs.flatMap((each) => each.positions().map(({ topic }) => topic)))
  topics.delete(committed.topics.inbox)
  const sources: Source[] = []
  for (const topic of topics) {
    for (const seen of committed.history.all(topic)) {
      const { partition, offset, topicId } = seen
      const record = { ...seen, topic }
      const taken = committed.taken(partition % plan.partitions, topic, partition, { topicId, offset })
      const { message, code } = read(record)
      const uses = message === undefined ? nothing(code) : usesIn(releases, message)
      const mayBeGone = world.cluster.losses.some(
        (loss) =>
          loss.topicId === topicId &&
          loss.partition === partition &&
          offset < loss.before &&
          (taken === undefined || taken.atMs >= loss.atMs),
      )
      sources.push({ mayBeGone, topic, seen, record, coordinates: coordinates(record), message, taken, uses })
    }
  }
  return sources
}

function read(record: Parameters<typeof messageOf>[0]): { message: MessageRoot | undefined; code: string | undefined } {
  try {
    return { message: messageOf(record), code: undefined }
  } catch (error) {
    if (error instanceof UnusableRecord) return { message: undefined, code: error.code }
    throw error
  }
}

const nothing = (unusable: string | undefined): Uses => ({ unusable, starts: [], channels: [], failures: [] })

/** What a workflow makes of a record; asked once for all releases that have it. */
function usesOf({ name: workflow, start, tasks }: Workflow, message: MessageRoot): Uses {
  const starts: StartUse[] = []
  const channels: ChannelUse[] = []
  const failures: { workflow: string; isStart: boolean; isCertain: boolean }[] = []
  for (const trigger of start) {
    if (trigger.topic !== message.topic) continue
    const key = attempt(() => {
      const wanted = trigger.when?.evaluate({ message, now: message.timestamp }) ?? true
      if (wanted === false) return null
      if (wanted !== true) return undefined
      const ownKey = message.key === null || message.key === '' ? placeOf(message) : message.key
      if (trigger.key === undefined) return usable(canonicalText(ownKey))
      return usable(canonicalText(trigger.key.evaluate({ message, now: message.timestamp })))
    })
    if (key === undefined) failures.push({ workflow, isStart: true, isCertain: true })
    else if (key !== null) starts.push({ workflow, key, isCertain: true })
  }
  const asked = new Set<string>()
  for (const task of tasks) {
    if (task.type !== 'kafka-listener' || task.topic !== message.topic) continue
    const route = task.correlate[0]?.message
    // Listeners of one workflow mostly ask a record for the same.
    if (route === undefined || asked.has(route.source)) continue
    asked.add(route.source)
    const value = attempt(() => correlationValue(route.evaluate({ message })))
    if (value === undefined) failures.push({ workflow, isStart: false, isCertain: true })
    else channels.push({ workflow, value, isCertain: true })
  }
  return { unusable: undefined, starts, channels, failures }
}

/** All that any release makes of it; certain is what all do. */
function usesIn(releases: readonly (readonly Workflow[])[], message: MessageRoot): Uses {
  const known = new Map<Workflow, Uses>()
  const each = releases.map((release) =>
    release.map((workflow) => {
      const uses = known.get(workflow) ?? usesOf(workflow, message)
      known.set(workflow, uses)
      return uses
    }),
  )
  const together = <Use extends { readonly isCertain: boolean }>(
    of: (uses: Uses) => readonly Use[],
  ): readonly Use[] => {
    const counted = new Map<string, { use: Use; releases: Set<number> }>()
    for (const [release, all] of each.entries()) {
      for (const use of all.flatMap(of)) {
        const id = JSON.stringify(use)
        const same = counted.get(id) ?? { use, releases: new Set() }
        counted.set(id, same)
        same.releases.add(release)
      }
    }
    return [...counted.values()].map(({ use, releases: by }) => ({ ...use, isCertain: by.size === each.length }))
  }
  return {
    unusable: undefined,
    starts: together(({ starts }) => starts),
    channels: together(({ channels }) => channels),
    failures: together(({ failures }) => failures),
  }
}

const placeOf = ({ topic, partition, offset }: MessageRoot): string => `${topic}/${partition}@${offset}`
const usable = (key: string | undefined): string | undefined =>
  key === undefined || key === '' || key.length > limits.keyLengthMax ? undefined : key
const correlationValue = (found: Json | undefined): string | undefined => {
  const value = found === undefined ? undefined : canonicalText(found)
  return value !== undefined && value.length <= limits.keyLengthMax ? value : undefined
}

function attempt<Result>(evaluate: () => Result): Result | undefined {
  try {
    return evaluate()
  } catch {
    return undefined
  }
}
