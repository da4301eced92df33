// The smallest worker that is exactly once: each record of `in` becomes one of `out`, and the position goes into
// `toy.changelog` in the same transaction. It shows how a workload uses the world, and is small enough to be seen
// through; the mistakes that it can be told to make are those that the simulation has to find.
import { OutcomeUnknown, PartitionFenced, TransientFault } from '../../src/base/errors.ts'
import type { Assignment, LogRecord, OutgoingRecord, Producer, Reader } from '../../src/runtime/ports.ts'
import type { WorldNode } from './world.ts'

export type Mistake = 'takes-unknown-for-failed' | 'restores-before-fencing'

const changelog = 'toy.changelog'
const positionKey = Buffer.from('position')

/** Joins the group and runs whatever partitions it owns. */
export async function startToyWorker(node: WorldNode, mistake?: Mistake): Promise<void> {
  const running = new Map<number, ToyPartition>()
  const become = ({ owned }: Assignment): void => {
    for (const [number, partition] of running) {
      if (owned.includes(number)) continue
      partition.stop()
      running.delete(number)
    }
    for (const number of owned) {
      if (running.has(number)) continue
      const partition = new ToyPartition(node, number, mistake)
      running.set(number, partition)
      void partition.run().then(() => {
        if (running.get(number) === partition) running.delete(number)
      })
    }
  }
  await node.membership.join(become, async () => [])
}

class ToyPartition {
  readonly #node: WorldNode
  readonly #partition: number
  readonly #mistake: Mistake | undefined
  #isStopped = false
  #wake: () => void = () => {}

  constructor(node: WorldNode, partition: number, mistake: Mistake | undefined) {
    this.#node = node
    this.#partition = partition
    this.#mistake = mistake
  }

  stop(): void {
    this.#isStopped = true
    this.#wake()
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#runOnce()
      } catch (error) {
        if (error instanceof PartitionFenced) {
          if (!(await this.#node.membership.confirms(this.#partition))) return
        } else if (!(error instanceof TransientFault) && !(error instanceof OutcomeUnknown)) throw error
      }
    }
  }

  /** From fencing to the first fault. */
  async #runOnce(): Promise<void> {
    const { log } = this.#node
    const early = this.#mistake === 'restores-before-fencing' ? await this.#restore() : undefined
    let producer = await log.openProducer(`toy-${this.#partition}`)
    const start = early ?? (await this.#restore())
    const reader = this.#read('in', start)
    try {
      while (!this.#isStopped) {
        const records = reader.take(3)
        if (records.length === 0) await this.#news()
        else producer = await this.#transform(producer, records, reader)
      }
    } finally {
      reader.close()
      await producer.close()
    }
  }

  /** Tries one batch until it is committed; gives the producer to go on with. */
  async #transform(producer: Producer, records: readonly LogRecord[], reader: Reader): Promise<Producer> {
    const partition = this.#partition
    const out: OutgoingRecord[] = records.map(({ key, value }) => ({ topic: 'out', partition, key, value }))
    out.push({ topic: changelog, partition, key: positionKey, value: Buffer.from(String(reader.position)) })
    for (;;) {
      try {
        await producer.transact(out)
        return producer
      } catch (error) {
        if (error instanceof OutcomeUnknown && this.#mistake === 'takes-unknown-for-failed') {
          producer = await this.#node.log.openProducer(`toy-${partition}`)
        } else if (!(error instanceof TransientFault)) throw error
      }
    }
  }

  /** The committed position. */
  async #restore(): Promise<number> {
    const offsets = await this.#node.log.offsets(changelog, this.#partition)
    // Once fenced, all is decided. Before that, the open transaction at the end may yet be committed.
    const end = this.#mistake === 'restores-before-fencing' ? offsets.committedEnd : offsets.end
    const reader = this.#read(changelog, 0)
    let position = 0
    while (reader.position < end && !this.#isStopped) {
      const records = reader.take(10)
      for (const record of records) position = Number(Buffer.from(record.value!).toString())
      if (records.length === 0 && reader.position < end) await this.#news()
    }
    reader.close()
    return position
  }

  #read(topic: string, offset: number): Reader {
    return this.#node.log.openReader({ topic, partition: this.#partition, offset, onReady: () => this.#wake() })
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
