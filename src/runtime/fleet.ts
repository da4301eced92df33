// The workers of an application, as they tell each other in `<app>.workers`: each says what it runs and where it can be
// asked, when that changes and every so often, and takes back what it said when it stops. Who was not heard for a while
// is gone. Nothing is decided by it but whom to ask: the log's fencing says who owns what.
import type { Logger } from '../base/logger.ts'
import { utf8 } from '../base/utf8.ts'
import { decodeWorker, encodeWorker, type WorkerRecord } from '../records/worker-record.ts'
import type { FleetFace } from './face.ts'
import { OffsetGone, type Clock, type Log, type LogRecord, type Reader } from './ports.ts'

export interface FleetOptions {
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
  /** `<app>.workers` */
  readonly topic: string
  readonly workerId: string
  /** What this worker runs now, and keeps copies of. */
  readonly describe: () => Pick<WorkerRecord, 'owned' | 'copies'>
}

const tellEveryMs = 10_000
/** Between a look at whether something changed and the next one. */
const lookEveryMs = 500
/** Who was not heard for so long is gone. */
const silentMs = 3 * tellEveryMs
/** Workers say so often where they are that those who live are among the latest. */
const recordsReadMax = 5_000
const readAgainMs = 1_000
const decoder = new TextDecoder()

interface Heard {
  readonly record: WorkerRecord
  readonly atMs: number
}

export class Fleet implements FleetFace {
  readonly #options: FleetOptions
  readonly #heard = new Map<string, Heard>()
  readonly #startedAtMs: number
  #reader: Reader | undefined
  #url: string | undefined
  /** Of the last time, what does not change by itself. */
  #told = ''
  #toldAtMs = -Infinity
  #isTelling = false
  #isClosed = false
  #cancel = (): void => {}

  constructor(options: FleetOptions) {
    this.#options = options
    this.#startedAtMs = options.clock.nowMs()
  }

  /** Listens to the others, and tells them of this worker from now on. @param url where it can be asked */
  join(url: string): void {
    if (!this.#options.log.isShared) return
    this.#url = url
    void this.#listen()
    this.#look()
  }

  /** Takes back what it said. */
  async leave(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    this.#reader?.close()
    if (this.#told === '') return
    await this.#produce(null)
  }

  all(): readonly WorkerRecord[] {
    return this.#url === undefined ? [] : [this.#self(this.#url), ...this.peers()]
  }

  peers(): readonly WorkerRecord[] {
    const sinceMs = this.#options.clock.nowMs() - silentMs
    return [...this.#heard.values()]
      .filter(({ atMs }) => atMs >= sinceMs)
      .map(({ record }) => record)
      .toSorted((a, b) => (a.worker < b.worker ? -1 : 1))
  }

  urlOf(partition: number): string | undefined {
    // Of two that claim it the one that said so last: it took over.
    return this.peers()
      .filter(({ owned }) => owned.some((each) => each.partition === partition))
      .toSorted((a, b) => (a.at < b.at ? 1 : -1))[0]?.url
  }

  async #listen(): Promise<void> {
    const { log, topic, clock } = this.#options
    try {
      const { earliest, committedEnd } = await log.offsets(topic, 0)
      if (this.#isClosed) return
      const offset = Math.max(earliest, committedEnd - recordsReadMax)
      this.#reader = log.openReader({ topic, partition: 0, offset, onReady: () => this.#read() })
      this.#read()
    } catch {
      clock.after(readAgainMs, () => void (this.#isClosed || this.#listen()))
    }
  }

  #read(): void {
    const { clock } = this.#options
    try {
      for (let records = this.#reader?.take(1_000) ?? []; records.length > 0; records = this.#reader!.take(1_000))
        for (const record of records) this.#note(record)
    } catch (error) {
      this.#reader?.close()
      this.#reader = undefined
      clock.after(error instanceof OffsetGone ? 0 : readAgainMs, () => void (this.#isClosed || this.#listen()))
    }
  }

  #note({ key, value, timestampMs }: LogRecord): void {
    const worker = key === null ? '' : decoder.decode(key)
    if (worker === this.#options.workerId) return
    const record = value === null ? undefined : decodeWorker(value)
    // By the log's time where that is past: what it said long ago is no news because it is read now.
    const atMs = Math.min(timestampMs, this.#options.clock.nowMs())
    if (record === undefined) this.#heard.delete(worker)
    else this.#heard.set(worker, { record, atMs })
  }

  #look(): void {
    if (this.#isClosed) return
    void this.#tell()
    this.#cancel = this.#options.clock.after(lookEveryMs, () => this.#look())
  }

  async #tell(): Promise<void> {
    if (this.#isTelling || this.#url === undefined) return
    const record = this.#self(this.#url)
    const what = JSON.stringify([record.owned, record.copies].map((list) => list.map(({ partition }) => partition)))
    const nowMs = this.#options.clock.nowMs()
    if (what === this.#told && nowMs - this.#toldAtMs < tellEveryMs) return
    this.#isTelling = true
    if (await this.#produce(encodeWorker(record))) {
      this.#told = what
      this.#toldAtMs = nowMs
    }
    this.#isTelling = false
  }

  #self(url: string): WorkerRecord {
    const { workerId, clock, describe } = this.#options
    return {
      worker: workerId,
      url,
      startedAt: timeText(this.#startedAtMs),
      at: timeText(clock.nowMs()),
      ...describe(),
    }
  }

  async #produce(value: Uint8Array | null): Promise<boolean> {
    const { log, logger, topic, workerId } = this.#options
    try {
      const [outcome] = await log.produce([{ topic, partition: 0, key: utf8(workerId), value }])
      if (outcome === undefined || 'offset' in outcome) return true
      logger.debug({ topic, error: outcome.error }, outcome.message)
    } catch (error) {
      // Said again soon; meanwhile the others answer for what they know.
      logger.debug({ topic, error: String(error) }, 'the other workers could not be told')
    }
    return false
  }
}

// eslint-disable-next-line no-restricted-globals -- a conversion of the clock's own time
const timeText = (ms: number): string => new Date(ms).toISOString()
