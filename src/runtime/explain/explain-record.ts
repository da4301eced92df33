// What became of a record: what each workflow that reads its topic makes of it, told by the same expressions; and what came
// of that, from the rows of the partitions that run here. What another worker would know says `elsewhere`; who asks for all
// merges the answers. What nobody can know any more says so, and why.
import { partitionOfText } from '../../base/partitioner.ts'
import { nearest } from '../../definition/nearest.ts'
import { taskErrorOf } from '../../engine/attempt.ts'
import { canonicalText } from '../../engine/correlation.ts'
import { inputOf } from '../../engine/deciders/beginning.ts'
import { readersOf, startKeyOf } from '../../engine/deciders/record.ts'
import { formatOf } from '../../engine/format.ts'
import { coordinates, messageOf } from '../../engine/message.ts'
import type { ListenerGroup, Route, Start } from '../../engine/world.ts'
import type { DeadLettersFace } from '../faces/dead-letter-face.ts'
import type { RecordExplanation, RecordLetter, RecordUse } from '../faces/explain-face.ts'
import type { ExplainOptions } from './explain-options.ts'
import { RecordFates } from './record-fates.ts'
import type { LogRecord } from '../ports.ts'
import { keyView, timeView } from '../record-view.ts'
import { summaryOf, type Standing } from './record-merge.ts'
import { readRecord } from './topic-tail.ts'

export interface RecordExplainOptions extends ExplainOptions {
  readonly deadLetters: Pick<DeadLettersFace, 'list'>
}

/** Pages of the newest letters of the topic that are looked through. */
const letterPagesMax = 3
const letterPage = 1_000

type Place = Pick<LogRecord, 'topic' | 'partition' | 'offset'>

export class RecordExplainer {
  readonly #options: RecordExplainOptions
  readonly #fates: RecordFates

  constructor(options: RecordExplainOptions) {
    this.#options = options
    this.#fates = new RecordFates(options)
  }

  /** undefined: there is no such topic or partition. @throws {TransientFault} @throws {Unavailable} */
  async explain(topic: string, partition: number, offset: number): Promise<RecordExplanation | undefined> {
    const { log } = this.#options
    const info = (await log.describeTopics([topic])).get(topic)
    if (info === undefined || partition >= info.partitions) return undefined
    const place = { topic, partition, offset }
    const standing = this.#standing(place, info.id)
    const { earliest, committedEnd } = await log.offsets(topic, partition)
    const letters = standing.reading === 'not-a-source' ? [] : await this.#letters(place)
    const isNotYet = offset >= committedEnd
    const record = isNotYet || offset < earliest ? undefined : await readRecord(place, this.#reading())
    if (record === undefined) {
      const state = isNotYet ? 'not-yet' : 'gone'
      const summary = isNotYet
        ? `${coordinates(place)} was not written so far: the partition ends at ${committedEnd}`
        : `${coordinates(place)} is not there: ${offset < earliest ? `retention has removed what was before ${earliest}` : 'it was aborted or compacted away, or is a marker of a transaction'}`
      return { ...place, summary, state, ...standing, uses: [], letters }
    }
    const uses = standing.reading === 'not-a-source' ? [] : await this.#uses(record, standing, letters)
    return {
      ...place,
      summary: summaryOf(coordinates(record), standing, uses, letters),
      state: 'there',
      timestamp: timeView(record.timestampMs),
      ...keyView(record.key),
      valueBytes: record.value?.length ?? 0,
      ...standing,
      uses,
      letters,
    }
  }

  #reading() {
    const { log, clock, catalogue } = this.#options
    return { log, clock, formatsOn: (topic: string) => catalogue.formatsOn(topic) }
  }

  #standing({ topic, partition, offset }: Place, topicId: string): Standing {
    const { catalogue, hosts } = this.#options
    if (catalogue.startsOn(topic).length + catalogue.listenersOn(topic).length === 0) {
      const suggestion = nearest(topic, catalogue.sourceTopics())
      return { reading: 'not-a-source', ...(suggestion === undefined ? {} : { suggestion }) }
    }
    const registration = catalogue.registration(topic)
    if (
      registration?.from === 'latest' &&
      registration.topicId === topicId &&
      offset < (registration.ends[partition] ?? 0)
    )
      return { reading: 'before-the-first' }
    const position = hosts[partition % hosts.length]?.running?.sources.positions.find(
      (each) => each.topic === topic && each.partition === partition,
    )?.offset
    if (position === undefined) return { reading: 'unknown' }
    return position <= offset ? { reading: 'behind', behind: offset - position } : { reading: 'read' }
  }

  async #letters({ topic, partition, offset }: Place): Promise<readonly RecordLetter[]> {
    const found: RecordLetter[] = []
    let cursor: string | undefined
    for (let page = 0; page < letterPagesMax; page++) {
      const more: { cursor?: string } = cursor === undefined ? {} : { cursor }
      const { items, next } = await this.#options.deadLetters.list({ topic, limit: letterPage, ...more })
      for (const { source, reason, message, workflows, redriven, ...letter } of items) {
        if (source.partition !== partition || source.offset !== offset) continue
        const { partition: at, offset: letterOffset } = letter
        found.push({
          partition: at,
          offset: letterOffset,
          reason,
          message,
          workflows,
          redriven: redriven !== undefined,
        })
      }
      if (next === undefined || found.length > 0) break
      cursor = next
    }
    return found
  }

  async #uses(record: LogRecord, standing: Standing, letters: readonly RecordLetter[]): Promise<readonly RecordUse[]> {
    const { catalogue } = this.#options
    const { starts, groups } = readersOf(record, { catalogue })
    const uses: RecordUse[] = []
    for (const start of starts) uses.push(await this.#start(start, record, standing, letters))
    for (const group of groups)
      for (const route of group.routes) uses.push(await this.#listen(group, route, record, standing))
    return uses
  }

  async #start(
    { workflow, trigger }: Start,
    record: LogRecord,
    standing: Standing,
    letters: readonly RecordLetter[],
  ): Promise<RecordUse> {
    const use: Pick<RecordUse, 'workflow' | 'kind' | 'instances'> = {
      workflow: workflow.name,
      kind: 'start',
      instances: [],
    }
    let key: string | undefined
    try {
      const message = messageOf(record, formatOf(workflow, record.topic))
      const wanted = trigger.when?.evaluate({ message, now: message.timestamp }) ?? true
      if (wanted !== true) {
        const told = `when: ${trigger.when?.source ?? ''} gives ${JSON.stringify(wanted)}`
        return { ...use, outcome: wanted === false ? 'not-wanted' : 'failed', message: told }
      }
      key = startKeyOf(trigger, record, message)
    } catch (error) {
      const { code, message } = taskErrorOf(error)
      return { ...use, outcome: 'failed', message: `${code}: ${message}` }
    }
    if (key === undefined || key === '')
      return { ...use, outcome: 'failed', message: 'key-invalid: the key is neither a text nor a whole number' }
    const partition = partitionOfText(key, this.#options.hosts.length)
    const keyed = { ...use, value: key, partition }
    const unread = notRead(standing)
    if (unread !== undefined) return { ...keyed, ...unread }
    const fate = await this.#fates.ofStart(workflow, key, record, letters)
    if (fate.outcome !== 'unknown' && fate.outcome !== 'refused') return { ...keyed, ...fate }
    return { ...keyed, ...fate, ...this.#violations({ workflow, trigger }, record) }
  }

  /** What its input would be refused for by the version that is current now. */
  #violations({ workflow, trigger }: Start, record: LogRecord): Partial<RecordUse> {
    try {
      const input = inputOf({ origin: { kind: 'record', record, trigger: trigger.index } }, workflow)
      const violations = workflow.input?.validate(input.value) ?? []
      if (violations.length === 0) return {}
      const message = `the input does not fit the schema of ${workflow.version}`
      const told = violations.map(({ pointer, message: what }) => ({ pointer, message: what }))
      return { outcome: 'refused', message, violations: told }
    } catch (error) {
      return { outcome: 'failed', message: `input: ${taskErrorOf(error).message}` }
    }
  }

  async #listen(group: ListenerGroup, route: Route, record: LogRecord, standing: Standing): Promise<RecordUse> {
    const { expression, format } = route
    const use: Pick<RecordUse, 'workflow' | 'kind' | 'expression' | 'instances'> = {
      workflow: group.workflow,
      kind: 'listen',
      expression: expression.source,
      instances: [],
    }
    let value: string | undefined
    try {
      value = canonicalText(expression.evaluate({ message: messageOf(record, format) }))
    } catch (error) {
      const { code, message } = taskErrorOf(error)
      return { ...use, outcome: 'failed', message: `${code}: ${message}` }
    }
    if (value === undefined)
      return { ...use, outcome: 'failed', message: `${expression.source} gives neither a text nor a whole number` }
    const partition = partitionOfText(value, this.#options.hosts.length)
    const valued = { ...use, value, partition }
    const unread = notRead(standing)
    if (unread !== undefined) return { ...valued, ...unread }
    return { ...valued, ...(await this.#fates.ofRecord(group, value, record)) }
  }
}

function notRead({ reading, behind = 0 }: Standing): Pick<RecordUse, 'outcome' | 'message'> | undefined {
  if (reading === 'behind') return { outcome: 'not-read', message: `${behind} records before it are not read yet` }
  if (reading === 'before-the-first')
    return {
      outcome: 'not-read',
      message: 'it was there before a workflow read the topic for the first time (from: latest)',
    }
  return undefined
}
