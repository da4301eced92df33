// What a partition has to decide, in the order in which it is decided: what has to be decided again first, then first
// positions, due timers, commands of this worker, and records of the sources. Each of these three has its share of a batch,
// and what others leave of theirs: a million timers that are due at once keep no record waiting.
//
// An input that tripped a bug of ours is set apart (design 4.9): its batch's inputs are decided one by one, what trips
// alone is the culprit and goes to the dead-letter topic, and where even that trips the partition stops.
import { InvariantViolation, RecordRefused } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Logger } from '../base/logger.ts'
import { decodeInbox } from '../records/inbox-codec.ts'
import type { Input, OwnCommand } from './batch.ts'
import type { LogRecord } from './ports.ts'
import type { Source, Sources } from './sources.ts'
import type { Timers } from './timers.ts'

export class Intake {
  readonly #sources: Sources
  readonly #timers: Timers
  readonly #own: OwnCommand[]
  readonly #logger: Logger
  #again: Input[] = []
  #fresh: Source[] = []

  /** @param own commands of this worker; they stay in the list until a batch takes them */
  constructor(sources: Sources, timers: Timers, own: OwnCommand[], logger: Logger) {
    this.#sources = sources
    this.#timers = timers
    this.#own = own
    this.#logger = logger
  }

  /** Sources that were never read: their first position is committed before they are. */
  begin(fresh: readonly Source[]): void {
    this.#fresh.push(...fresh)
  }

  /** The inputs of the next batch; empty when nothing has arrived. A partition that drains takes nothing new. */
  take(nowMs: number, isDraining: boolean): readonly Input[] {
    if (this.#again.length > 0) {
      const count = this.#again[0]?.isAlone === true ? 1 : this.#again.findIndex((each) => each.isAlone)
      return this.#again.splice(0, count === -1 ? this.#again.length : count)
    }
    const inputs = this.#fresh.map((source) => input({ from: { source, offset: source.offset } }))
    this.#fresh = []
    if (isDraining) return inputs
    const share = Math.floor(limits.batchInputsMax / 3)
    this.#takeDue(inputs, nowMs, share)
    this.#takeOwn(inputs, share)
    this.#takeRecords(inputs, roomIn(inputs))
    this.#takeDue(inputs, nowMs, roomIn(inputs))
    this.#takeOwn(inputs, roomIn(inputs))
    return inputs
  }

  /** To be decided again, before anything new. */
  again(inputs: readonly Input[]): void {
    this.#again.unshift(...inputs)
  }

  /** @throws {InvariantViolation} Nothing helps: the partition has to stop. */
  isolate(inputs: readonly Input[], error: Error): void {
    const [only] = inputs
    if (inputs.length === 1 && only !== undefined) {
      if (only.poison !== undefined)
        throw new InvariantViolation(`even setting it aside failed: ${error.message}`, { cause: error })
      this.#logger.error(
        { error: error.stack, command: only.command?.type },
        'a bug in dagger-worker: what met it is set aside',
      )
      only.poison = error
    } else {
      this.#logger.error(
        { error: error.message, inputs: inputs.length },
        'a batch met a bug in dagger-worker: deciding its inputs one by one',
      )
    }
    for (const each of inputs) each.isAlone = true
    this.again(inputs)
  }

  /** The incarnation ends: results of handlers wait for the next one, callers are told. */
  putBack(inputs: readonly Input[]): void {
    const results: OwnCommand[] = []
    for (const { own } of [...inputs, ...this.#again.splice(0)]) {
      if (own?.onLost === undefined) results.push(...(own === undefined ? [] : [own]))
      else own.onLost('outcome-unknown')
    }
    this.#own.unshift(...results)
  }

  #takeDue(inputs: Input[], nowMs: number, max: number): void {
    for (const timer of this.#timers.takeDue(nowMs, max)) inputs.push(input({ command: { type: 'timer.fire', timer } }))
  }

  #takeOwn(inputs: Input[], max: number): void {
    for (const own of this.#own.splice(0, max)) inputs.push(input({ command: own.command, own }))
  }

  #takeRecords(inputs: Input[], max: number): void {
    for (const { source, records, offset } of this.#sources.take(max)) {
      const last = records.length - 1
      for (const [index, record] of records.entries()) {
        const from = { source, offset: index === last ? offset : record.offset + 1 }
        if (!source.isInbox) inputs.push(input({ command: { type: 'record.route', record }, from }))
        else if (record.value === null) inputs.push(input({ from }))
        else inputs.push(fromInbox(record, record.value, from))
      }
    }
  }
}

const roomIn = (inputs: readonly Input[]): number => Math.max(0, limits.batchInputsMax - inputs.length)

/** What cannot be read in the inbox was not written by us: it is set aside, and the partition goes on. */
function fromInbox(record: LogRecord, value: Uint8Array, from: NonNullable<Input['from']>): Input {
  try {
    return input({ command: decodeInbox(value), from })
  } catch (error) {
    const poison = new RecordRefused(
      0,
      'inbox-unreadable',
      `not a command of dagger-worker: ${error instanceof Error ? error.message : String(error)}`,
    )
    return input({ command: { type: 'record.route', record }, from, poison })
  }
}

const input = (fields: Partial<Input>): Input => ({
  command: undefined,
  from: undefined,
  own: undefined,
  isAlone: false,
  ids: [],
  poison: undefined,
  ...fields,
})
