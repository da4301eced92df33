// One incarnation of a partition: from its fence to its end. The loop of design section 4:
//
//   take what has arrived ─▶ decide on an overlay ─▶ commit (one transaction) ─▶ store ─▶ effects
//                 ▲                  │ the next batch is decided meanwhile, on this one's overlay; it sends nothing
//                 └──────────────────┘ until this one is known to be committed, and falls with it (commit-window.ts
//                                      says whether there is room for it)
//
// P1. The producer is initialised, and so every predecessor fenced, before anything is read.
// P2. Offsets only grow.   P3. The store may lag behind the log; it never leads it.
// P6. Effects come after the commit, in the order of the batches.
// What a fault means is not decided here: it ends the incarnation, and host.ts looks for the cure.
import { assert } from '../base/assert.ts'
import { RecordRefused, TransientFault } from '../base/errors.ts'
import type { Batch, Input } from './batch.ts'
import { Gauges } from './metrics/gauges.ts'
import { Intake } from './intake.ts'
import { faultOf } from './faults.ts'
import { Lifecycle } from './lifecycle.ts'
import type { Producer } from './ports.ts'
import type { PartitionOptions } from './partition-options.ts'
import { prefetch } from './prefetch.ts'
import { askAgain } from './owed.ts'
import { Refusals } from './refusals.ts'
import { restore, type RestoreProgress } from './restore.ts'
import { Reading } from './reading.ts'
import { CommittedRows } from './rows.ts'
import { checkDecoded, SchemaAwaited } from './schemas.ts'
import { Schedules } from './schedules.ts'
import { SourceLook } from './source-look.ts'
import { Sources } from './sources.ts'
import { Staging } from './staging.ts'
import { Timers } from './timers.ts'
import { worldOf } from './surroundings.ts'
import { updatesFor } from './updates.ts'
import { Bell } from './wake.ts'

/** A batch that is being committed. */
interface InFlight {
  readonly batch: Batch
  readonly done: Promise<void>
}

export class Partition {
  readonly #options: PartitionOptions
  readonly #lifecycle = new Lifecycle()
  readonly #bell = new Bell()
  readonly #rows: CommittedRows
  readonly #timers: Timers
  readonly #sources: Sources
  readonly #intake: Intake
  readonly #schedules: Schedules
  readonly #look: SourceLook
  readonly #refusals: Refusals
  /** For queries. */
  readonly reading: Reading
  readonly gauges: Gauges
  #producer: Producer | undefined
  #inFlight: InFlight | undefined
  #changelogId = ''
  #timeMs = 0
  /** The last batch wanted to write by a schema that is not there yet. */
  #awaitsSchema = false
  restoring: RestoreProgress | undefined
  /** It has got somewhere: what ended it was not there from its beginning. */
  hasCommitted = false

  constructor(options: PartitionOptions) {
    this.#options = options
    const { store, partitions, own, logger } = options
    this.#rows = new CommittedRows(store, options.cachedBytesMax / partitions)
    this.reading = new Reading(this.#rows, store, () => this.#bell.ring())
    this.#timers = new Timers(store)
    this.#sources = new Sources({
      ...options,
      formatsOn: (topic) => options.definitions.catalogue.formatsOn(topic),
      isStart: (topic) => options.definitions.catalogue.startsOn(topic).length > 0,
      onReady: () => this.#bell.ring(),
    })
    this.gauges = new Gauges(this, this.#sources, this.#timers, options.clock)
    this.#schedules = new Schedules(options)
    this.#look = new SourceLook(options.sourceTopics)
    this.#refusals = new Refusals(options)
    this.#intake = new Intake(this.#sources, this.#timers, own, logger)
  }

  get phase(): Lifecycle['phase'] {
    return this.#lifecycle.phase
  }

  /** What it reads, how far, and what keeps it from more. */
  get sources(): Pick<Sources, 'trouble' | 'positions'> {
    return this.#sources
  }

  #isClosed(): boolean {
    return this.#lifecycle.phase === 'closed'
  }

  /** Fences, restores, and makes ready to run. @throws a fault */
  async open(): Promise<void> {
    const { log, store, clock, app, topics, partition, definitions, measures } = this.#options
    this.#lifecycle.become('restoring')
    this.#producer = await log.openProducer(`${app}-${partition}`) // P1
    this.#changelogId = await restore({
      log,
      store,
      clock,
      topic: topics.changelog,
      partition,
      isCancelled: () => this.#isClosed(),
      onProgress: (progress) => (this.restoring = progress),
    })
    await this.#rows.fill()
    await definitions.catchUp()
    await this.#schedules.open()
    await this.#timers.refill()
    await askAgain(this.#options, this.#rows)
    this.#producer = measures.producer(this.#producer)
    if (this.phase === 'restoring') this.#lifecycle.become('running')
    await this.refreshSources() // once it runs: whatever is published later asks it to look again
  }

  /** Looks for topics and partitions that are not read yet, and for schedules that changed: the loop takes them up. */
  async refreshSources(): Promise<void> {
    if (this.#schedules.sync()) this.#bell.ring()
    await this.#look.look()
    this.#bell.ring()
  }

  /** Something is in `own`, or something changed that the loop should look at. */
  ring(): void {
    this.#bell.ring()
  }

  /** Runs until it is told to stop; rejects with what ended it otherwise. */
  async run(): Promise<void> {
    const { clock, window } = this.#options
    let isIdle = false
    while (this.phase === 'running' || (this.phase === 'draining' && !isIdle)) {
      if (this.reading.fault !== undefined) throw this.reading.fault
      if (this.#sources.hasGone && this.phase === 'running') await this.refreshSources()
      const topics = this.#look.take()
      if (topics !== undefined) this.#intake.begin(this.#sources.plan(topics))
      if (this.#timers.hasRunOut) await this.#timers.refill() // also while there is work all the time
      const nowMs = this.#now()
      if (!window.admits(this.#bell, nowMs)) {
        if (this.#inFlight !== undefined) await this.#settled()
        else await window.room(this.#bell, clock)
        continue
      }
      const inputs = this.#intake.take(nowMs, this.phase === 'draining')
      if (inputs.length === 0) {
        if (this.#inFlight !== undefined) await this.#settled()
        else if (this.phase === 'draining') isIdle = true
        else if (!this.#sources.hasGone) await this.#bell.heardWithin(this.#timers.sleepMs(clock.nowMs()), clock)
        continue
      }
      await window.during(inputs.length, nowMs, () => this.#advance(inputs, nowMs))
    }
  }

  /** Decides a batch, and begins to commit it once the one before is committed. */
  async #advance(inputs: readonly Input[], nowMs: number): Promise<InFlight | undefined> {
    const { definitions, partition, partitions } = this.#options
    await definitions.whenNamed(inputs)
    const reading = prefetch(inputs, this.#rows, { catalogue: definitions.catalogue, partition, partitions })
    if (reading !== undefined) await reading
    if (this.#isClosed()) {
      this.#intake.putBack(inputs)
      return undefined
    }
    const batch = this.#decide(inputs, nowMs)
    if (batch === undefined) {
      // Nobody waits for a registry at the end: what it holds up is decided by the next incarnation.
      if (this.#awaitsSchema && this.phase === 'draining') this.#intake.putBack([])
      else if (this.#awaitsSchema) await this.#bell.heard()
      return undefined
    }
    if (this.#inFlight !== undefined && !(await this.#settled(batch))) return undefined
    return (this.#inFlight = { batch, done: this.gauges.census.during(batch.staging, this.#commit(batch)) })
  }

  /** Finishes what is under way, takes nothing new. */
  drain(): void {
    if (this.phase === 'running') this.#lifecycle.become('draining')
    this.#bell.ring()
  }

  /** Lets go of everything at once; nothing is flushed, nothing that was not committed happened. */
  async close(): Promise<void> {
    if (this.#isClosed()) return
    this.#lifecycle.become('closed')
    this.#sources.close()
    this.#bell.ring()
    this.#options.window.forget(this.#bell)
    const inFlight = this.#inFlight
    this.#inFlight = undefined
    this.#intake.putBack(inFlight?.batch.inputs ?? [])
    await inFlight?.done.catch(() => {})
    await this.#producer?.close()
  }

  /** The partition's own time never goes back, whatever the machine's clock does. */
  #now(): number {
    this.#timeMs = Math.max(this.#timeMs, this.#options.clock.nowMs())
    return this.#timeMs
  }

  /** undefined: it tripped on an input, or a schema is not there; the inputs will be decided again. */
  #decide(inputs: readonly Input[], nowMs: number): Batch | undefined {
    const updates = updatesFor(this.#options, this.#refusals.holdsUpdatesBack(nowMs))
    const staging = new Staging(this.#rows, this.#inFlight?.batch.staging)
    const batch = this.#options.measures.batch(inputs, staging, nowMs, updates)
    this.#awaitsSchema = false
    try {
      checkDecoded(inputs, this.#options.definitions.catalogue)
      this.#options.measures.decide(() => batch.decide(worldOf(this.#options, this.#refusals, nowMs)))
      return batch
    } catch (error) {
      if (error instanceof SchemaAwaited) {
        this.#intake.again(inputs)
        this.#awaitsSchema = true
        void error.isThere.then(() => this.#bell.ring())
        return undefined
      }
      // What the store failed with is no fault of the records.
      if (faultOf(error).kind !== 'invariant') {
        this.#intake.putBack(inputs)
        throw error
      }
      this.#intake.isolate(inputs, error instanceof Error ? error : new Error(String(error)))
      return undefined
    }
  }

  /**
   * Waits for the batch in flight. false: the log refused a record of it, and it will be decided again, together
   * with `next`, which was decided on it.
   */
  async #settled(next?: Batch): Promise<boolean> {
    const { batch, done } = this.#inFlight!
    try {
      await done
      this.#inFlight = undefined
      next?.staging.release()
      return true
    } catch (error) {
      this.#inFlight = undefined
      this.#intake.again(next?.inputs ?? [])
      if (error instanceof RecordRefused) {
        const verdict = this.#refusals.judge(batch, error, this.#now())
        if (verdict === 'decide-again') this.#intake.again(batch.inputs)
        if (verdict === 'isolate') this.#intake.isolate(batch.inputs, error)
        if (verdict !== 'wait') return false
      }
      this.#intake.putBack(batch.inputs)
      throw error instanceof RecordRefused ? new TransientFault(error.message, { cause: error }) : error
    }
  }

  async #commit(batch: Batch): Promise<void> {
    const { store, clock, topics, partition, measures, onCommitted, perform } = this.#options
    const { changes } = batch
    assert(this.#producer !== undefined, 'P1: a producer was opened')
    const currentAtMs = clock.nowMs() // P8: before, as it may take long, or we may sleep
    const ends = await this.#producer.transact(batch.records(topics, partition))
    this.hasCommitted = true
    if (this.#isClosed()) return
    const end = ends.find((each) => each.topic === topics.changelog && each.partition === partition)
    const isStored = measures.storing()
    if (end !== undefined)
      await store.apply(changes, { topicId: this.#changelogId, offset: end.lastOffset + 1, currentAtMs }) // P3
    isStored()
    if (this.#isClosed()) return
    batch.staging.settle()
    this.#refusals.clear()
    for (const { key } of batch.armed) this.#timers.add(key)
    for (const { from } of batch.inputs) if (from?.source.isNew === true) this.#sources.begin(from.source)
    for (const effect of batch.effects) perform(effect) // P6
    onCommitted(batch)
    this.#sources.trimInbox(batch.inputs)
    this.#bell.ring()
  }
}
