// The transaction coordinator of the memory broker, as Kafka's (3.6 and newer, clients without KIP-890 part 2).
//
//   initialise ──► idle ──begin──► open ──end──► decided ──markers──► idle
//        ▲                          │
//        └── again: aborts what is open, raises the epoch, and so fences every older session
//
//   T1. A request of an older epoch is refused, whatever it asks for, however late it comes.
//   T2. A request of the current epoch is believed: an `end` that was delayed decides whatever transaction is open when
//       it lands. That is Kafka's behaviour, and why a client that does not know an outcome must initialise first.
//   T3. A partition takes records only while it is part of its producer's open transaction.
//   T4. Initialising and beginning wait for the markers of the transaction before; where one cannot be written now they
//       are refused, and the client asks again.
//   T5. A transaction that is open for too long is aborted and its producer fenced; it, and no later one of the producer.
import { BrokerError } from './broker-error.ts'
import type { Outcome, PartitionLog, ProducerSession } from './partition-log.ts'

/** When the coordinator acts by itself; what is not given happens at once, or never. */
export interface TransactionTiming {
  /** Decides when a marker is written after the decision. `write` may be called more than once. */
  readonly scheduleMarker?: (partition: string, write: () => void) => void
  /** Whether "topic/partition" takes markers now. */
  readonly takesMarkers?: (partition: string) => boolean
  /** Calls back once a transaction that is opened now has been open for too long; the result is called when it ends. */
  readonly scheduleTimeout?: (transactionalId: string, expire: () => void) => () => void
}

interface OpenTransaction {
  readonly partitions: Set<PartitionLog>
  readonly cancelTimeout: () => void
}

interface TransactionalProducer {
  readonly producerId: number
  epoch: number
  open: OpenTransaction | undefined
  lastOutcome: Outcome | undefined
  /** Markers that are decided and not yet written, with their "topic/partition". */
  readonly owed: Map<() => void, string>
}

export class TransactionCoordinator {
  readonly #producers = new Map<string, TransactionalProducer>()
  readonly #timing: TransactionTiming
  #nextProducerId = 1

  constructor(timing: TransactionTiming) {
    this.#timing = timing
  }

  /**
   * A session that fences all before it. With `own`, only the holder of the current session gets a new one (KIP-360).
   * @throws {BrokerError} PRODUCER_FENCED, INVALID_PRODUCER_ID_MAPPING, CONCURRENT_TRANSACTIONS
   */
  initialise(transactionalId: string, own?: ProducerSession): ProducerSession {
    if (own !== undefined) this.#expectCurrent(own)
    const producer = this.#producers.get(transactionalId)
    if (producer === undefined) {
      const producerId = this.#nextProducerId++
      this.#producers.set(transactionalId, {
        producerId,
        epoch: 0,
        open: undefined,
        lastOutcome: undefined,
        owed: new Map(),
      })
      return { transactionalId, producerId, epoch: 0 }
    }
    this.#fence(producer)
    this.#settle(producer) // T4
    return { transactionalId, producerId: producer.producerId, epoch: producer.epoch }
  }

  /** Opens a transaction over partitions, or adds them to the one that is open. @throws {BrokerError} when fenced */
  begin(session: ProducerSession, partitions: readonly PartitionLog[]): void {
    const producer = this.#expectCurrent(session)
    this.#settle(producer) // T4
    producer.open ??= this.#open(session.transactionalId, producer)
    for (const partition of partitions) producer.open.partitions.add(partition)
  }

  /** Asserts that a partition may take records of this session. @throws {BrokerError} INVALID_TXN_STATE or fenced */
  verify(session: ProducerSession, partition: PartitionLog): void {
    const producer = this.#expectCurrent(session)
    if (producer.open?.partitions.has(partition) !== true) {
      throw new BrokerError('INVALID_TXN_STATE', 'the partition is not part of an open transaction') // T3
    }
  }

  /** Decides the open transaction; asked again for the same outcome it says yes again. @throws {BrokerError} */
  end(session: ProducerSession, outcome: Outcome): void {
    const producer = this.#expectCurrent(session)
    if (producer.open !== undefined) this.#decide(producer, outcome) // T2
    else if (producer.lastOutcome !== outcome) throw new BrokerError('INVALID_TXN_STATE', 'no transaction is open')
  }

  /** What the broker does to a transaction that was open too long: aborts it and fences its producer. */
  expireTransaction(transactionalId: string): void {
    const producer = this.#producers.get(transactionalId)
    if (producer?.open !== undefined) this.#fence(producer)
  }

  /** Forgets an id that was not used for long; requests of its sessions are refused from then on. */
  expireTransactionalId(transactionalId: string): void {
    const producer = this.#producers.get(transactionalId)
    if (producer === undefined) return
    this.#fence(producer)
    for (const write of producer.owed.keys()) write()
    this.#producers.delete(transactionalId)
  }

  /** The ids with an open transaction, and those with markers to be written. */
  unfinished(): readonly string[] {
    return [...this.#producers].filter(([, one]) => one.open !== undefined || one.owed.size > 0).map(([id]) => id)
  }

  #open(transactionalId: string, producer: TransactionalProducer): OpenTransaction {
    const expire = () => {
      if (producer.open === opened) this.#fence(producer) // T5
    }
    const cancelTimeout = this.#timing.scheduleTimeout?.(transactionalId, expire) ?? (() => {})
    const opened = { partitions: new Set<PartitionLog>(), cancelTimeout }
    return opened
  }

  #fence(producer: TransactionalProducer): void {
    if (producer.open !== undefined) this.#decide(producer, 'aborted')
    producer.epoch++
    producer.lastOutcome = undefined
  }

  #decide(producer: TransactionalProducer, outcome: Outcome): void {
    const { partitions, cancelTimeout } = producer.open!
    producer.open = undefined
    cancelTimeout()
    producer.lastOutcome = outcome
    for (const partition of partitions) {
      const place = `${partition.topic}/${partition.partition}`
      const write = () => {
        if (producer.owed.delete(write)) partition.writeMarker(producer.producerId, outcome)
      }
      producer.owed.set(write, place)
      if (this.#timing.scheduleMarker === undefined) write()
      else this.#timing.scheduleMarker(place, write)
    }
  }

  #settle(producer: TransactionalProducer): void {
    for (const [write, place] of producer.owed) {
      if (this.#timing.takesMarkers?.(place) === false)
        throw new BrokerError('CONCURRENT_TRANSACTIONS', `${place} takes no markers now`)
      write()
    }
  }

  #expectCurrent(session: ProducerSession): TransactionalProducer {
    const producer = this.#producers.get(session.transactionalId)
    if (producer?.producerId !== session.producerId) {
      throw new BrokerError('INVALID_PRODUCER_ID_MAPPING', `${session.transactionalId} is not this producer's`)
    }
    if (producer.epoch !== session.epoch) {
      throw new BrokerError('PRODUCER_FENCED', `epoch ${session.epoch} is older than ${producer.epoch}`) // T1
    }
    return producer
  }
}
