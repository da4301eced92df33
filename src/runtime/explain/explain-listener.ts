// What a listener waits for, and the records that came lately and were not for it. Nothing is kept for that: near misses are
// found in the last records of the topic when they are asked for, so that they cost nothing until then and are there
// after a restart.
import type { KafkaListenerTask } from '../../definition/workflow.ts'
import { coordinates } from '../../engine/message.ts'
import type { InstanceRow } from '../../engine/state.ts'
import type { ListenerExplanation, NearMiss, NearMisses } from '../faces/explain-face.ts'
import type { ExplainOptions } from './explain-options.ts'
import { judge, type Wanted } from './near-miss.ts'
import type { LogRecord } from '../ports.ts'
import { timeView } from '../record-view.ts'
import { readTail } from './topic-tail.ts'
import { tracesOf } from './traces.ts'
import type { Viewed } from '../views.ts'

/** Listeners of one instance whose topics are read for it, and near misses of each. */
const listenersMax = 10
const missesMax = 5
/** Instances looked through for who took a record. */
const tracedRowsMax = 2_000

/** What is waited for, as the listener says; with the tail of its topic it becomes an explanation. */
export interface Listening {
  readonly task: KafkaListenerTask
  readonly wanted: Wanted
  readonly sinceMs: number
  readonly isAhead: boolean
}

/** The listeners of one instance. */
export class ListenerExplainer {
  readonly #options: ExplainOptions
  readonly #viewed: Viewed
  #left = listenersMax

  constructor(options: ExplainOptions, viewed: Viewed) {
    this.#options = options
    this.#viewed = viewed
  }

  async explain(listening: Listening): Promise<ListenerExplanation> {
    const { task, wanted, isAhead } = listening
    const { topic, where, until, match, keepMs } = task
    this.#left -= 1
    const nearMisses =
      this.#left < 0
        ? notLooked(`the topics of the first ${listenersMax} listeners were looked at`)
        : await this.#nearMisses(listening)
    return {
      topic,
      pairs: task.correlate.map((pair, index) => ({
        message: pair.message.source,
        instance: pair.instance.source,
        value: wanted[index] ?? '',
      })),
      ...(where === undefined ? {} : { where: where.source }),
      ...(until === undefined ? {} : { untilTrue: until.source }),
      match,
      keepMs,
      isAhead,
      nearMisses,
    }
  }

  async #nearMisses(listening: Listening): Promise<NearMisses> {
    const { row, workflow } = this.#viewed
    const { task, wanted } = listening
    const { log, clock, catalogue } = this.#options
    const formatsOn = (topic: string) => catalogue.formatsOn(topic)
    const tail = await readTail(task.topic, wanted[0] ?? '', { log, clock, formatsOn })
    const judged = tail.records.map((record) => ({ record, judgement: judge(task, workflow, wanted, record) }))
    const near = judged
      .filter(({ judgement }) => judgement.nearness > 0)
      .toSorted((a, b) => b.judgement.nearness - a.judgement.nearness || b.record.timestampMs - a.record.timestampMs)
      .slice(0, missesMax)
    const takers = await this.#takers(near.flatMap(({ record, judgement }) => (isFit(judgement) ? [record] : [])))
    const items = near.map(({ record, judgement }): NearMiss => {
      const { nearness: _, ...told } = judgement
      const place = {
        partition: record.partition,
        offset: record.offset,
        timestamp: timeView(record.timestampMs),
      }
      if (!isFit(judgement)) return { ...place, ...told }
      return { ...place, ...told, ...this.#whyNot(record, listening, row, takers) }
    })
    const { partitionsLookedAt, partitions, trouble } = tail
    return {
      items,
      recordsLookedAt: tail.records.length,
      partitionsLookedAt,
      partitions,
      others: judged.length - items.length,
      ...(trouble === undefined ? {} : { trouble }),
    }
  }

  /** A record that fits: it was not read, came too early, or went to another. */
  #whyNot(
    record: LogRecord,
    { task, sinceMs }: Listening,
    instance: InstanceRow,
    takers: ReadonlyMap<string, string>,
  ): Partial<NearMiss> {
    const takenBy = takers.get(coordinates(record))
    if (takenBy !== undefined) {
      const who = takenBy === instance.id ? 'this instance itself, by another wait' : takenBy
      return { reason: 'taken-by-another', takenBy, message: `it fits, and was taken by ${who}` }
    }
    const position = this.#positionOf(record)
    if (position !== undefined && position <= record.offset)
      return {
        reason: 'not-read-yet',
        message: `it fits: ${record.offset - position} records before it are not read yet`,
      }
    if (record.timestampMs + task.keepMs < sinceMs) {
      const message = `it fits, and came before this listener waited: it is kept for ${task.keepMs / 1_000} s, and the wait began ${Math.round((sinceMs - record.timestampMs) / 1_000)} s after it`
      return { reason: 'too-early', message }
    }
    return {}
  }

  /** The next offset that is read of its partition; undefined: another worker reads it. */
  #positionOf({ topic, partition }: LogRecord): number | undefined {
    const { hosts } = this.#options
    return hosts[partition % hosts.length]?.running?.sources.positions.find(
      (each) => each.topic === topic && each.partition === partition,
    )?.offset
  }

  async #takers(records: readonly LogRecord[]): Promise<ReadonlyMap<string, string>> {
    if (records.length === 0) return new Map()
    const readings = this.#options.hosts.flatMap(({ running }) => running?.reading ?? [])
    const { found } = await tracesOf(new Set(records.map(coordinates)), readings, tracedRowsMax)
    return new Map(found.flatMap(({ how, place, instanceId }) => (how === 'taken' ? [[place, instanceId]] : [])))
  }
}

const isFit = ({ reason }: { readonly reason: string }): boolean => reason === 'fits'

const notLooked = (trouble: string): NearMisses => ({
  items: [],
  recordsLookedAt: 0,
  partitionsLookedAt: 0,
  partitions: 0,
  others: 0,
  trouble,
})
