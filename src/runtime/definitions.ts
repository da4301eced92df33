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
import { namedTopics, updatesTopic } from './app-topics.ts'
import { WorkflowCatalogue, type Registration } from './catalogue.ts'
import { findRegistrations } from './registrations.ts'
import type { SourceTopic } from './sources.ts'
import { OffsetGone, type Clock, type Log, type LogRecord, type OutgoingRecord, type Reader } from './ports.ts'

export interface DefinitionsOptions {
  readonly log: Log
  readonly clock: Clock
  readonly topics: AppTopics
  readonly logger: Logger
  /** Of the application. */
  readonly partitions: number
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
const lookAgainMs = 10_000
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class Definitions {
  readonly catalogue = new WorkflowCatalogue()
  readonly #options: DefinitionsOptions
  #reader: Reader | undefined
  #waiting: { isThere: () => boolean; resolve: () => void }[] = []
  #listeners: (() => void)[] = []
  /** What was published here last, and the topics that it reads and that were not there. */
  #ours: { readonly source: string; readonly workflows: readonly Workflow[] } | undefined
  #missing: ReadonlySet<string> = new Set()
  #cancelLooking = (): void => {}

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
    const { log, topics, partitions, partitionsOf, createsTopics } = this.#options
    const workflows = [...files.values()].flatMap((each) => (each === 'broken' ? [] : each))
    this.#ours = { source, workflows }
    this.#missing = new Set()
    if (createsTopics)
      await log.createTopics([...updatesTopic(topics, partitions, workflows), ...namedTopics(workflows, partitionsOf)])
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
    this.#lookAgain()
    return undefined
  }

  /** Topics that somebody makes later are registered then. Nothing else is published: another may have done so since. */
  #lookAgain(): void {
    this.#cancelLooking()
    if (this.#missing.size === 0 || this.#reader === undefined) return
    const { clock, logger } = this.#options
    this.#cancelLooking = clock.after(lookAgainMs, () => {
      void this.#register()
        .catch((error: unknown) =>
          logger.warn({ error: String(error) }, 'topics could not be looked for; trying again'),
        )
        .then(() => this.#lookAgain())
    })
  }

  async #register(): Promise<void> {
    const { log, topics } = this.#options
    if (this.#ours === undefined || (await log.describeTopics([...this.#missing])).size === 0) return
    const { source, workflows } = this.#ours
    const producer = await log.openProducer(`${topics.definitions}-${source}`)
    try {
      await this.catchUp()
      await producer.transact(await this.#registrations(workflows))
    } finally {
      await producer.close()
    }
  }

  async #unknown(workflows: readonly Workflow[]): Promise<readonly OutgoingRecord[]> {
    const versions = workflows.filter(({ version }) => this.catalogue.find(version) === undefined)
    return [
      ...versions.map(({ version, source }) => this.#record(`w/${version}`, { source })),
      ...(await this.#registrations(workflows)),
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
    this.#cancelLooking()
  }

  #record(key: string, value: object): OutgoingRecord {
    return {
      topic: this.#options.topics.definitions,
      partition: 0,
      key: encoder.encode(key),
      value: encoder.encode(JSON.stringify(value)),
    }
  }

  /** The topics that are read for the first time; those that are not there are told once. */
  async #registrations(workflows: readonly Workflow[]): Promise<readonly OutgoingRecord[]> {
    const { log, logger } = this.#options
    const { fresh, missing } = await findRegistrations(log, this.catalogue, workflows)
    for (const topic of missing.filter((each) => !this.#missing.has(each)))
      logger.warn(
        { topic },
        `topic ${topic} does not exist, or this worker may not see it: what reads it waits until it does`,
      )
    this.#missing = new Set(missing)
    return fresh.map(([topic, registration]) => this.#record(`r/${topic}`, registration))
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
