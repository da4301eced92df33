// The services around the workload "order": each command is answered at once with one event of about 200 bytes.
import type { LogRecord, Log, OutgoingRecord, Reader } from '../runtime/ports.ts'
import { keyedRecord, produceAll } from './feed.ts'
import { orderTopics } from './order.ts'
import type { Site } from './site.ts'

const recordsAtOnce = 1_000

const decoder = new TextDecoder()

/** Answers the commands of a log until it is closed; `failure` rejects when one could not be answered. */
export class Responder {
  readonly #log: Log
  readonly #readers: { readonly reader: Reader; readonly answer: string }[] = []
  readonly failure: Promise<never>
  #fail: (error: unknown) => void = () => {}
  #isKicked = false

  /** The topics are there by now. */
  constructor({ log, app, partitions }: Pick<Site, 'log' | 'app' | 'partitions'>) {
    this.#log = log
    this.failure = new Promise((_, reject) => (this.#fail = reject))
    this.failure.catch(() => {}) // whoever races against it is told
    const topics = orderTopics(app)
    const answers = [
      [topics.paymentCommands, topics.paymentEvents],
      [topics.warehouseCommands, topics.warehouseEvents],
    ] as const
    for (const [topic, answer] of answers) {
      for (let partition = 0; partition < partitions; partition++) {
        const reader = log.openReader({ topic, partition, offset: 0, onReady: () => this.#kick() })
        this.#readers.push({ reader, answer })
      }
    }
  }

  close(): void {
    for (const { reader } of this.#readers) reader.close()
  }

  /** Readers are told one by one of what became durable together: all of it is answered in one call. */
  #kick(): void {
    if (this.#isKicked) return
    this.#isKicked = true
    queueMicrotask(() => {
      this.#isKicked = false
      this.#answerAll().catch((error: unknown) => this.#fail(error))
    })
  }

  async #answerAll(): Promise<void> {
    const events: OutgoingRecord[] = []
    for (const { reader, answer } of this.#readers) {
      for (;;) {
        const commands = reader.take(recordsAtOnce)
        if (commands.length === 0) break
        for (const command of commands) events.push(answerTo(command, answer))
      }
    }
    if (events.length > 0) await produceAll(this.#log, events)
  }
}

function answerTo({ key, value }: LogRecord, topic: string): OutgoingRecord {
  if (key === null || value === null) throw new Error('a command has a key and a value')
  const { orderId }: { orderId: string } = JSON.parse(decoder.decode(value))
  return keyedRecord(topic, key, { orderId, status: 'done', reference: `R-${orderId}` })
}
