// Definitions travel through the log (D5): a worker publishes its directory to the definitions topic and takes what it
// runs from there, as every other worker does.
//
//   w/<version>   the workflow's canonical source; never deleted
//   m/<source>    the manifest: which versions the directory of this source holds; the last one published is current, but
//                 that none with a lower revision takes the place of one that has a higher
//   r/<topic>     the registration: where to begin in a topic that was never read
//
// Versions, registrations and manifest of one publication are one transaction: nobody sees half a directory.
import { RecordRefused, TransientFault } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { compileWorkflow } from '../definition/parse.ts'
import type { Workflow } from '../definition/workflow.ts'
import type { Command } from '../engine/command.ts'
import type { AppTopics } from '../records/keys.ts'
import { namedTopics } from './app-topics.ts'
import { WorkflowCatalogue, type Registration } from './catalogue.ts'
import type { SourceTopic } from './sources.ts'
import { OffsetGone, type Clock, type Log, type LogRecord, type OutgoingRecord, type Reader } from './ports.ts'

export interface DefinitionsOptions {
  readonly log: Log
  readonly clock: Clock
  readonly topics: AppTopics
  readonly logger: Logger
  /** Partitions of topics that are created. */
  readonly partitionsOf: (topic: string) => number
  readonly createsTopics: boolean
}

/** What a worker's directory holds, and under which name and revision. */
export interface Publication {
  readonly source: string
  /** Absent: it takes the place of any. */
  readonly revision?: number | undefined
  readonly files: ReadonlyMap<string, readonly Workflow[] | 'broken'>
}

const readAgainMs = 1_000
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class Definitions {
  readonly catalogue = new WorkflowCatalogue()
  readonly #options: DefinitionsOptions
  #reader: Reader | undefined
  #waiting: { isThere: () => boolean; resolve: () => void }[] = []
  #listeners: (() => void)[] = []

  constructor(options: DefinitionsOptions) {
    this.#options = options
  }

  /** Reads the topic from its start to its end of now, and goes on as more comes. */
  async open(): Promise<void> {
    this.#openReader(0)
    await this.catchUp()
  }

  #openReader(offset: number): void {
    const { log, topics } = this.#options
    this.#reader?.close()
    this.#reader = log.openReader({ topic: topics.definitions, partition: 0, offset, onReady: () => this.#read() })
    this.#read()
  }

  /** Resolves once everything is known that was committed when it was called. */
  async catchUp(): Promise<void> {
    const { log, topics } = this.#options
    const { committedEnd } = await log.offsets(topics.definitions, 0)
    await this.#until(() => (this.#reader?.position ?? 0) >= committedEnd)
  }

  /** Resolves once every version that these commands name is known: a command may be faster than its definition. */
  async whenNamed(inputs: readonly { readonly command: Command | undefined }[]): Promise<void> {
    for (const { command } of inputs) {
      const version =
        command?.type === 'instance.start'
          ? command.version
          : command?.type === 'channel.join'
            ? command.waiter.version
            : undefined
      if (version === undefined || this.catalogue.find(version) !== undefined) continue
      await this.#until(() => this.catalogue.find(version) !== undefined)
    }
  }

  /** Called after the catalogue changed. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /**
   * Makes a directory's files the current ones of a source; what is the same already is not published again. A file
   * with problems has no workflows here: the versions that it had before keep serving. Resolves to a higher revision that
   * is current, where that is why nothing was published.
   */
  async publish({ source, revision, files }: Publication): Promise<number | undefined> {
    const { log, topics, partitionsOf, createsTopics } = this.#options
    const workflows = [...files.values()].flatMap((each) => (each === 'broken' ? [] : each))
    if (createsTopics) await log.createTopics(namedTopics(workflows, partitionsOf))
    // Opened before anything is looked at: it ends what a predecessor left open, and two that publish take turns.
    const producer = await log.openProducer(`${topics.definitions}-${source}`)
    try {
      await this.catchUp()
      const current = this.catalogue.revision(source)
      if (revision !== undefined && current !== undefined && revision < current) return current
      const records = [...(await this.#unknown(workflows)), ...this.#changedManifest({ source, revision, files })]
      if (records.length > 0) await producer.transact(records)
    } catch (error) {
      // A right may be given while we wait for it.
      if (!(error instanceof RecordRefused) || error.reason !== 'not-authorised') throw error
      throw new TransientFault(error.message, { cause: error })
    } finally {
      await producer.close()
    }
    await this.catchUp()
    return undefined
  }

  async #unknown(workflows: readonly Workflow[]): Promise<readonly OutgoingRecord[]> {
    const versions = workflows.filter(({ version }) => this.catalogue.find(version) === undefined)
    const registrations = await this.#registrations(workflows)
    return [
      ...versions.map(({ version, source }) => this.#record(`w/${version}`, { source })),
      ...registrations.map(([topic, registration]) => this.#record(`r/${topic}`, registration)),
    ]
  }

  #changedManifest({ source, revision, files }: Publication): readonly OutgoingRecord[] {
    const before = this.catalogue.manifest(source)
    const manifest = new Map<string, readonly string[]>()
    for (const [file, found] of files) {
      const versions = found === 'broken' ? before?.get(file) : found.map(({ version }) => version)
      if (versions !== undefined) manifest.set(file, versions)
    }
    const isSame =
      JSON.stringify([...(before ?? [])]) === JSON.stringify([...manifest]) &&
      this.catalogue.revision(source) === revision
    return isSame ? [] : [this.#record(`m/${source}`, { files: Object.fromEntries(manifest), revision })]
  }

  /** The topics that are read, as they are now, with where each begins. */
  async sourceTopics(): Promise<readonly SourceTopic[]> {
    const { log, topics } = this.#options
    const names = [topics.inbox, ...this.catalogue.sourceTopics()]
    const found = await log.describeTopics(names)
    const sources: SourceTopic[] = []
    for (const name of names) {
      const info = found.get(name)
      if (info !== undefined)
        sources.push({ info, registration: name === topics.inbox ? undefined : this.catalogue.registration(name) })
    }
    return sources
  }

  close(): void {
    this.#reader?.close()
    this.#reader = undefined
  }

  #record(key: string, value: object): OutgoingRecord {
    return {
      topic: this.#options.topics.definitions,
      partition: 0,
      key: encoder.encode(key),
      value: encoder.encode(JSON.stringify(value)),
    }
  }

  /** The topics that are read for the first time, with their ends of now. */
  async #registrations(workflows: readonly Workflow[]): Promise<readonly (readonly [string, Registration])[]> {
    const from = new Map<string, 'latest' | 'earliest'>()
    for (const workflow of workflows) {
      const reads = [...workflow.start, ...workflow.tasks.filter((task) => task.type === 'kafka-listener')]
      for (const each of reads) if (from.get(each.topic) !== 'earliest') from.set(each.topic, each.from)
    }
    const { log, logger } = this.#options
    const found = await log.describeTopics([...from.keys()])
    const registrations: (readonly [string, Registration])[] = []
    for (const [topic, where] of from) {
      const info = found.get(topic)
      if (info === undefined) {
        logger.warn(
          { topic },
          `topic ${topic} does not exist, or this worker may not see it: what reads it waits until it does`,
        )
        continue
      }
      if (this.catalogue.registration(topic)?.topicId === info.id) continue
      const ends: number[] = []
      for (let partition = 0; partition < info.partitions; partition++)
        ends.push((await log.offsets(topic, partition)).end)
      registrations.push([topic, { topicId: info.id, from: where, ends }])
    }
    return registrations
  }

  #read(): void {
    let isChanged = false
    try {
      for (;;) {
        const records = this.#reader?.take(1_000) ?? []
        if (records.length === 0) break
        for (const record of records) this.#take(record)
        isChanged = true
      }
    } catch (error) {
      this.#readAgain(error)
    }
    if (isChanged) {
      this.catalogue.index()
      for (const listener of this.#listeners) listener()
    }
    const stillWaiting = this.#waiting.filter(({ isThere, resolve }) => {
      if (!isThere()) return true
      resolve()
      return false
    })
    this.#waiting = stillWaiting
  }

  /** The topic is away for the moment, or what stood at the position was compacted away. */
  #readAgain(error: unknown): void {
    const { clock, logger } = this.#options
    const offset = error instanceof OffsetGone ? error.earliest : (this.#reader?.position ?? 0)
    logger.warn({ error: String(error), offset }, 'the definitions cannot be read now; trying again')
    this.#reader?.close()
    clock.after(readAgainMs, () => {
      if (this.#reader !== undefined) this.#openReader(offset)
    })
  }

  #take(record: LogRecord): void {
    if (record.key === null || record.value === null) return
    const key = decoder.decode(record.key)
    const name = key.slice(2)
    try {
      const value = JSON.parse(decoder.decode(record.value)) as { source: string } & Registration & {
          files: { [file: string]: string[] }
          revision?: number
        }
      if (key.startsWith('w/')) this.catalogue.addVersion(compileWorkflow(value.source), record.timestampMs)
      else if (key.startsWith('r/')) this.catalogue.addRegistration(name, value)
      else if (key.startsWith('m/'))
        this.catalogue.setManifest(name, new Map(Object.entries(value.files)), value.revision)
    } catch (error) {
      // Published by a newer release, or by hand: its instances wait, the others go on.
      this.#options.logger.error({ key, error: String(error) }, `definition ${key} cannot be read by this release`)
    }
  }

  #until(isThere: () => boolean): Promise<void> {
    if (isThere()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ isThere, resolve }))
  }
}
