// The transactional producer of one partition of the application.
//
//   open ── InitProducerId ──▶ idle ── AddPartitions, Produce ──▶ open transaction ── EndTxn(commit) ──▶ idle
//                               ▲                                        │
//                               └── InitProducerId(own id, epoch) ◀── EndTxn(abort)     anything else: over
//
//   T1. An EndTxn is sent once: after one that was not answered nothing is asked under this epoch any more, since it may
//       arrive late and end a transaction that it was not meant for (KIP-890; brokers know better only for clients of
//       protocol versions that this client does not have). Opening the id again fences it.
//   T2. After an abort the epoch is raised, under our own id and epoch: a newer owner is never fenced by that, and
//       sequences begin anew, so that a batch that was refused leaves no gap.
//   T3. A transaction of which some batch has no answer is not known to be over, whatever an abort says: that batch may
//       yet be appended.
import { assert } from '../../base/assert.ts'
import { OutcomeUnknown, PartitionFenced, RecordRefused, TransientFault } from '../../base/errors.ts'
import type { CommittedEnd, OutgoingRecord, Producer } from '../../runtime/ports.ts'
import { batch, place } from './batches.ts'
import type { Batch, PartitionBatches } from './batches.ts'
import type { Cluster } from './cluster.ts'
import { Coordinator, untilAnswered } from './coordinator.ts'
import { describe, errorOf, faultOf, isCoordinatorMove, isFenced, recordFault, unanswered } from './faults.ts'
import type { KafkaError } from './faults.ts'
import { bounds } from './options.ts'
import { Retry } from './retry.ts'
import { send } from './send.ts'
import type { Outcome } from './send.ts'
import type { BatchLimits } from './topics.ts'
import { NoAnswer } from './client.ts'
import type { HeldId, Wire } from './client.ts'

export interface ProducerOptions {
  readonly cluster: Cluster
  readonly limits: BatchLimits
  readonly transactionalId: string
  /** Told of each commit; its records can be read once its markers are written, soon after. */
  readonly onCommitted: (ends: readonly CommittedEnd[]) => void
}

/** Resolves once older producers of the id are fenced and what they had open is decided. @throws {TransientFault} */
export async function openTransactionalProducer(options: ProducerOptions): Promise<Producer> {
  const producer = new TransactionalProducer(options)
  try {
    await producer.initialise()
    return producer
  } catch (error) {
    await producer.close()
    throw error
  }
}

const isPassing = (error: KafkaError) => isCoordinatorMove(error) || error === 'CONCURRENT_TRANSACTIONS'

class TransactionalProducer implements Producer {
  readonly #options: ProducerOptions
  readonly #wire: Wire
  readonly #coordinator: Coordinator
  readonly #sequences = new Map<string, number>()
  #held: HeldId | undefined
  #isInitialised = false
  #isBusy = false
  /** Over: each later transaction fails as the one that ended it. */
  #end: OutcomeUnknown | PartitionFenced | undefined
  #transactions = 0

  constructor(options: ProducerOptions) {
    this.#options = options
    this.#wire = options.cluster.connect()
    this.#coordinator = new Coordinator(options.cluster, this.#wire, 'transaction', options.transactionalId)
  }

  /** Takes the id, or raises the epoch of the one it has. */
  async initialise(): Promise<void> {
    const { transactionalId } = this.#options
    const where = `transactional id ${transactionalId}`
    const ask = async () => {
      const timeoutMs = bounds.transactionTimeoutMs
      const answer = await this.#coordinator.ask('initProducerId', transactionalId, timeoutMs, this.#held)
      const error = errorOf(answer.errorCode)
      if (error !== undefined) return error
      this.#held = { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
    }
    const error = await untilAnswered(this.#retry(), ask, isPassing).catch((failure: unknown) => {
      throw failure instanceof NoAnswer ? unanswered(failure, where) : failure
    })
    if (error !== undefined) throw this.#ended(faultOf(error, where))
    this.#sequences.clear()
    this.#isInitialised = true
  }

  async transact(records: readonly OutgoingRecord[]): Promise<readonly CommittedEnd[]> {
    assert(!this.#isBusy, 'one transaction of a producer at a time')
    if (this.#end !== undefined) throw this.#end
    if (records.length === 0) return []
    this.#isBusy = true
    try {
      if (!this.#isInitialised) await this.initialise() // T2
      const ends = await this.#produceAll(records)
      await this.#commit()
      this.#options.onCommitted(ends)
      return ends
    } catch (error) {
      if (error instanceof NoAnswer) throw unanswered(error, 'looking up topics')
      throw this.#ended(error)
    } finally {
      this.#isBusy = false
    }
  }

  close(): Promise<void> {
    this.#end ??= new OutcomeUnknown('the producer is closed')
    return this.#wire.close()
  }

  /** Everything up to the commit; where this throws, the transaction is aborted, or the producer's end is set. */
  async #produceAll(records: readonly OutgoingRecord[]): Promise<readonly CommittedEnd[]> {
    const { cluster, limits } = this.#options
    const placed = await place(cluster, records, this.#transactions++)
    const partitions: number[] = []
    for (const partition of placed) {
      if (typeof partition !== 'number') throw partition
      partitions.push(partition)
    }
    await limits.learn([...new Set(records.map((record) => record.topic))])
    for (;;) {
      const batches = batch(records, partitions, limits)
      await this.#addPartitions(batches)
      const stamp = {
        transactionalId: this.#options.transactionalId,
        ...this.#id,
        sequences: this.#sequences,
      }
      const outcomes = await send(batches, { cluster, wire: this.#wire, stamp, stopsAtFailure: true })
      const fault = faultIn(outcomes)
      if (fault === undefined) return batches.map((one) => endOf(one, outcomes))
      if (fault instanceof OutcomeUnknown || fault instanceof PartitionFenced) throw fault // T3
      await this.#abort()
      // Several records that are too large together: the topic takes less than it was thought to.
      if (!(fault instanceof BatchTooLarge)) throw fault
      limits.isBelow(fault.batch.topic, fault.batch.bytes)
      await this.initialise()
    }
  }

  async #addPartitions(batches: readonly PartitionBatches[]): Promise<void> {
    const { transactionalId } = this.#options
    const places = batches.map(({ topic, partition }) => ({ topic, partition }))
    let refused: { topic: string; partition: number } | undefined
    let isUnheardOf = false
    const ask = async () => {
      refused = undefined
      const { partitions } = await this.#coordinator.ask('addPartitionsToTxn', transactionalId, this.#id, places)
      const failed = partitions.filter(({ errorCode }) => errorCode !== 0)
      const first = failed.find(({ errorCode }) => errorOf(errorCode) !== 'OPERATION_NOT_ATTEMPTED') ?? failed[0]
      if (first === undefined) return undefined
      refused = first
      const error = errorOf(first.errorCode)
      // The coordinator may hear later than others of a topic that was just made.
      isUnheardOf = error === 'UNKNOWN_TOPIC_OR_PARTITION' && (await this.#exists(first.topic))
      return error
    }
    const error = await untilAnswered(this.#retry(), ask, (refusal) => isUnheardOf || isPassing(refusal)).catch(
      (failure: unknown) => {
        if (!(failure instanceof NoAnswer)) throw failure
        throw failure.mayBeDone ? unknownBy(failure.message) : unanswered(failure, 'the transaction was not begun')
      },
    )
    if (error === undefined) return
    // Refused as a whole: no transaction was begun, so there is none to abort.
    const at = batches.find(({ topic, partition }) => topic === refused?.topic && partition === refused.partition)
    throw recordFault(error, at?.batches[0]?.indices[0] ?? 0, `${refused?.topic}/${refused?.partition}`)
  }

  async #exists(topic: string): Promise<boolean> {
    return (await this.#options.cluster.refresh([topic]))[0]!.error === undefined
  }

  async #commit(): Promise<void> {
    const { transactionalId } = this.#options
    let mayBeDone = false
    const ask = async () => {
      const answer = await this.#coordinator.ask('endTxn', transactionalId, this.#id, true)
      const error = errorOf(answer.errorCode)
      // A coordinator that moves away while it commits says the same as one that has not begun to.
      if (error !== undefined && isCoordinatorMove(error)) mayBeDone = true
      return error
    }
    const error = await this.#endOnce(ask)
    if (error === undefined) return
    if (isFenced(error) && !mayBeDone) throw new PartitionFenced(`committing ${transactionalId}: ${describe(error)}`)
    throw unknownBy(describe(error))
  }

  async #abort(): Promise<void> {
    this.#isInitialised = false // T2
    const { transactionalId } = this.#options
    const ask = async () => errorOf((await this.#coordinator.ask('endTxn', transactionalId, this.#id, false)).errorCode)
    const error = await this.#endOnce(ask)
    if (error === undefined) return
    if (isFenced(error)) throw new PartitionFenced(`aborting ${transactionalId}: ${describe(error)}`)
    throw unknownBy(describe(error))
  }

  get #id(): HeldId {
    assert(this.#held !== undefined, 'the id is initialised before a transaction is begun')
    return this.#held
  }

  /** T1: asks again after an answer that passes, or where the request never left. */
  async #endOnce(ask: () => Promise<KafkaError | undefined>): Promise<KafkaError | undefined> {
    const retry = this.#retry()
    return untilAnswered(
      retry,
      () =>
        ask().catch((failure: unknown) => {
          throw failure instanceof NoAnswer && failure.mayBeDone ? unknownBy(failure.message) : failure
        }),
      isPassing,
    ).catch((failure: unknown) => {
      throw failure instanceof NoAnswer ? unknownBy(failure.message) : failure
    })
  }

  #ended(error: unknown): unknown {
    if (error instanceof OutcomeUnknown || error instanceof PartitionFenced) this.#end = error
    return error
  }

  #retry(): Retry {
    return new Retry(this.#options.cluster.options.clock)
  }
}

const unknownBy = (reason: string) => new OutcomeUnknown(`it is not known how the transaction ended: ${reason}`)

class BatchTooLarge extends TransientFault {
  readonly batch: Batch
  constructor(tooLarge: Batch) {
    super(`a batch of ${tooLarge.topic} is too large`)
    this.batch = tooLarge
  }
}

/** The gravest of what became of the batches; undefined when all are appended. */
function faultIn(outcomes: ReadonlyMap<Batch, Outcome>): Error | undefined {
  const faults: Error[] = []
  for (const [failed, outcome] of outcomes) {
    if ('baseOffset' in outcome) continue
    if ('unanswered' in outcome) {
      const { mayBeDone, message } = outcome.unanswered
      faults.push(mayBeDone ? unknownBy(message) : new TransientFault(message))
    } else if (outcome.error === 'MESSAGE_TOO_LARGE' && failed.records.length > 1)
      faults.push(new BatchTooLarge(failed))
    else {
      const index = failed.indices[outcome.record ?? 0] ?? failed.indices[0]!
      faults.push(recordFault(outcome.error, index, `${failed.topic}/${failed.partition}`))
    }
  }
  return (
    faults.find((fault) => fault instanceof OutcomeUnknown) ??
    faults.find((fault) => fault instanceof PartitionFenced) ??
    faults.find((fault) => fault instanceof RecordRefused) ??
    faults[0]
  )
}

function endOf({ topic, partition, batches }: PartitionBatches, outcomes: ReadonlyMap<Batch, Outcome>): CommittedEnd {
  const last = batches.at(-1)!
  const outcome = outcomes.get(last)
  assert(outcome !== undefined && 'baseOffset' in outcome, 'S3: every batch of a transaction is appended')
  return { topic, partition, lastOffset: outcome.baseOffset + last.records.length - 1 }
}
