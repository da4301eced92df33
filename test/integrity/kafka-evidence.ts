// The evidence on Kafka: what Kafka's own consumer reads as committed, none of our code in between, with the changelog
// folded to the last value of each key. The LevelDB stores of workers are held against that fold:
//
//   I5 a store equals the changelog folded up to the store's position, whenever its worker was killed
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { openLevelStore } from '../../src/adapters/level/store.ts'
import { topicsOf } from '../../src/records/keys.ts'
import type { ChangelogPosition } from '../../src/runtime/ports.ts'
import type { Fold } from '../simulation/committed.ts'
import { committedWithJava } from '../support/kafka/java-consumer.ts'
import { openLog } from '../support/kafka/kafka-world.ts'
import { stateOf, topicsOfEvidence, type CommittedRecord, type Evidence, type TopicEvidence } from './evidence.ts'

/** A store as it was left, in some data directory. */
export interface StoredState {
  readonly directory: string
  readonly partition: number
  readonly position: ChangelogPosition
  readonly values: Fold
}

/** The stores of an application in a data directory that no worker has open, those of all its workers. */
export async function storesIn(data: string, app: string): Promise<readonly StoredState[]> {
  const states: StoredState[] = []
  for (const worker of existsSync(data) ? readdirSync(data) : []) {
    const stores = join(data, worker, app)
    for (const name of existsSync(stores) ? readdirSync(stores) : []) {
      const partition = Number(name)
      const directory = join(stores, name)
      const store = await openLevelStore({ directory, app, partition })
      const entries = await store.list({ from: '', to: '~', limit: Number.MAX_SAFE_INTEGER })
      const { position } = store
      await store.close()
      const values = new Map(entries.map(({ key, value }) => [key, value]))
      if (position !== undefined) states.push({ directory, partition, position, values })
    }
  }
  return states
}

/** Everything that was committed, and every violation of I5 by the stores. */
export async function kafkaEvidence(place: {
  readonly brokers: readonly string[]
  readonly app: string
  readonly partitions: number
  readonly stores: readonly StoredState[]
}): Promise<{ readonly evidence: Evidence; readonly violations: readonly string[] }> {
  const { brokers, app, partitions, stores } = place
  const { changelog } = topicsOf(app)
  const topics = new Map<string, TopicEvidence & { readonly records: CommittedRecord[] }>()
  const log = await openLog(brokers)
  for (const { name, id, partitions: count } of (await log.describeTopics(topicsOfEvidence(app))).values()) {
    const ends: number[] = []
    for (let partition = 0; partition < count; partition++) ends.push((await log.offsets(name, partition)).end)
    topics.set(name, { id, ends, records: [] })
  }
  const changelogId = (await log.describeTopics([changelog])).get(changelog)?.id
  await log.close()
  const folds = Array.from({ length: partitions }, (_, partition) => new FoldBeside(partition, stores))
  for await (const record of committedWithJava(brokers, [changelog, ...topics.keys()])) {
    if (record.topic === changelog) folds[record.partition]?.take(record)
    else topics.get(record.topic)?.records.push(record)
  }
  const strangers = stores
    .filter(({ position }) => position.topicId !== changelogId)
    .map(({ directory }) => `I5: ${directory} was written from another changelog`)
  return {
    evidence: { app, partitions, topics, states: folds.map(({ values }) => stateOf(values)) },
    violations: [...strangers, ...folds.flatMap((fold) => fold.end())],
  }
}

/** The fold of one changelog partition, beside which the stores are laid as it reaches their positions. */
class FoldBeside {
  readonly values = new Map<string, Uint8Array>()
  readonly #stores: StoredState[]
  readonly #violations: string[] = []

  constructor(partition: number, stores: readonly StoredState[]) {
    this.#stores = stores
      .filter((store) => store.partition === partition)
      .toSorted((a, b) => a.position.offset - b.position.offset)
  }

  take({ offset, key, value }: CommittedRecord): void {
    while (this.#stores[0] !== undefined && this.#stores[0].position.offset <= offset) this.#compareNext()
    const text = Buffer.from(key ?? []).toString()
    if (value === null) this.values.delete(text)
    else this.values.set(text, value)
  }

  end(): readonly string[] {
    while (this.#stores.length > 0) this.#compareNext()
    return this.#violations
  }

  #compareNext(): void {
    const { directory, position, values } = this.#stores.shift()!
    const where = `I5: ${directory} at ${position.offset}`
    for (const [key, value] of this.values) {
      const stored = values.get(key)
      if (stored === undefined) this.#violations.push(`${where} lacks ${key}`)
      else if (!Buffer.from(stored).equals(value)) this.#violations.push(`${where} has another ${key}`)
    }
    for (const key of values.keys())
      if (!this.values.has(key)) this.#violations.push(`${where} has ${key}, which the changelog has not`)
  }
}
