// What a process does with its ports: what it has open, and whether it opened the producer of a partition by right. A
// wrapper round the ports that a process is given; it looks on and changes nothing.
//
//   I10. A partition's producer is opened by whom the group gave the partition to, and who was fenced, or lost an
//        outcome, first has it confirmed: to open it fences whoever is there.
import { OutcomeUnknown, PartitionFenced } from '../../src/base/errors.ts'
import type { Log, Membership, OpenStore, Producer, Reader, Store } from '../../src/runtime/ports.ts'

/** The ports that are watched. */
export interface Ports {
  readonly log: Log
  readonly membership: Membership
  readonly openStore: OpenStore
}

export class Conduct {
  readonly #onTrespass: (partition: number) => void
  readonly #readers = new Map<Reader, string>()
  readonly #producers = new Map<Producer, string>()
  readonly #stores = new Map<Store, number>()
  /** Partitions that the group said are this process's, and nothing has put in doubt since. */
  readonly #ours = new Set<number>()

  /** `onTrespass` is told of the partition of a producer that was opened with no right to it. */
  constructor(onTrespass: (partition: number) => void) {
    this.#onTrespass = onTrespass
  }

  /** "topic/partition" of the readers that are open, sorted. */
  get openReaders(): readonly string[] {
    return [...this.#readers.values()].sort()
  }

  /** Transactional ids of the producers that are open, sorted. */
  get openProducers(): readonly string[] {
    return [...this.#producers.values()].sort()
  }

  /** Partitions of the stores that are open, sorted. */
  get openStores(): readonly number[] {
    return [...this.#stores.values()].sort((a, b) => a - b)
  }

  /** The same ports, looked on at. */
  watch({ log, membership, openStore }: Ports): Ports {
    return {
      log: {
        ...log,
        openReader: (options) => this.#reader(log.openReader(options), `${options.topic}/${options.partition}`),
        openProducer: async (id) => {
          const partition = partitionOf(id)
          if (partition !== undefined && !this.#ours.has(partition)) this.#onTrespass(partition)
          return this.#producer(await log.openProducer(id), id, partition)
        },
      },
      membership: {
        join: (onAssignment, lacks) =>
          membership.join((assignment) => {
            this.#ours.clear()
            for (const partition of assignment.owned) this.#ours.add(partition)
            onAssignment(assignment)
          }, lacks),
        confirms: async (partition) => {
          const isOurs = await membership.confirms(partition)
          if (isOurs) this.#ours.add(partition)
          return isOurs
        },
        leave: () => membership.leave(),
      },
      openStore: async (partition) => this.#store(await openStore(partition), partition),
    }
  }

  #reader(reader: Reader, place: string): Reader {
    this.#readers.set(reader, place)
    return {
      take: (max) => reader.take(max),
      get position() {
        return reader.position
      },
      get behind() {
        return reader.behind
      },
      close: () => {
        this.#readers.delete(reader)
        reader.close()
      },
    }
  }

  #producer(producer: Producer, id: string, partition: number | undefined): Producer {
    this.#producers.set(producer, id)
    return {
      transact: async (records) => {
        try {
          return await producer.transact(records)
        } catch (error) {
          const isInDoubt = error instanceof PartitionFenced || error instanceof OutcomeUnknown
          if (isInDoubt && partition !== undefined) this.#ours.delete(partition)
          throw error
        }
      },
      close: () => {
        this.#producers.delete(producer)
        return producer.close()
      },
    }
  }

  #store(store: Store, partition: number): Store {
    this.#stores.set(store, partition)
    return {
      get: (key) => store.get(key),
      getMany: (keys) => store.getMany(keys),
      list: (range) => store.list(range),
      apply: (changes, position) => store.apply(changes, position),
      get position() {
        return store.position
      },
      close: () => {
        this.#stores.delete(store)
        return store.close()
      },
      destroy: () => {
        this.#stores.delete(store)
        return store.destroy()
      },
    }
  }
}

/** Of a partition's transactional id, "<app>-<partition>", the partition; publishers of definitions have none. */
function partitionOf(transactionalId: string): number | undefined {
  const number = /^[^.]+-(\d+)$/.exec(transactionalId)?.[1]
  return number === undefined ? undefined : Number(number)
}
