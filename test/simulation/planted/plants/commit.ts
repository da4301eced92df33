// Mistakes around the transaction: what is written before it, what is made of its answer, what a broker does with it.
import type { Plant } from '../plant.ts'

const partition = 'src/runtime/partition.ts'
const log = 'src/adapters/memory/partition-log.ts'

export const commitPlants: readonly Plant[] = [
  {
    name: 'store-before-commit',
    trap: 'KAFKA-7192: the store is written before the commit, and keeps what was aborted',
    file: partition,
    find: 'const ends = await this.#producer.transact(batch.records(topics, partition))',
    replace: `await store.apply(changes, { topicId: this.#changelogId, offset: store.position?.offset ?? 0 })
    const ends = await this.#producer.transact(batch.records(topics, partition))`,
  },
  {
    name: 'position-before-values',
    trap: 'KAFKA-10362, KAFKA-20685: the position is written apart from the values, and is ahead of them after a crash',
    file: partition,
    find: 'await store.apply(changes, { topicId: this.#changelogId, offset: end.lastOffset + 1, currentAtMs }) // P3',
    replace: `await store
        .apply([], { topicId: this.#changelogId, offset: end.lastOffset + 1, currentAtMs })
        .then(() => store.apply(changes, store.position!))`,
  },
  {
    name: 'timeout-is-success',
    trap: 'KAFKA-9274: a commit with no answer is taken for done',
    file: partition,
    find: 'const ends = await this.#producer.transact(batch.records(topics, partition))',
    replace: `const ends = await this.#producer.transact(batch.records(topics, partition)).catch(async (error) => {
      if (error.kind !== 'outcome-unknown') throw error
      const { app, log } = this.#options
      this.#producer = await log.openProducer(\`\${app}-\${partition}\`)
      const { end } = await log.offsets(topics.changelog, partition)
      return [{ topic: topics.changelog, partition, lastOffset: end - 1 }]
    })`,
  },
  {
    name: 'effects-before-commit',
    trap: 'P6: effects reach the world before the commit: handlers run and calls are answered for what never happened',
    file: partition,
    find: 'const ends = await this.#producer.transact(batch.records(topics, partition))',
    replace: `for (const effect of batch.effects.splice(0)) perform(effect)
    const ends = await this.#producer.transact(batch.records(topics, partition))`,
  },
  {
    name: 'decided-on-committed-rows',
    trap: 'The next batch is decided on committed rows, without those of the batch that is being committed',
    file: partition,
    find: 'new Staging(this.#rows, this.#inFlight?.batch.staging)',
    replace: 'new Staging(this.#rows, undefined)',
  },
  {
    name: 'tombstone-not-sent',
    trap: 'I15: a removal is written to the store and not to the changelog',
    file: 'src/runtime/batch.ts',
    find: 'for (const { key, value } of this.changes)\n',
    replace: 'for (const { key, value } of this.changes.filter((change) => change.value !== null))\n',
  },
  {
    name: 'late-end-decides',
    trap: 'Jepsen on Bufstream, KIP-890: a delayed EndTxn of an older epoch decides the transaction that is open when it lands',
    file: 'src/adapters/memory/transactions.ts',
    find: `end(session: ProducerSession, outcome: Outcome): void {
    const producer = this.#expectCurrent(session)`,
    replace: `end(session: ProducerSession, outcome: Outcome): void {
    const producer = this.#producers.get(session.transactionalId) ?? this.#expectCurrent(session)`,
  },
  {
    name: 'aborted-records-read',
    trap: 'I13: the filter of a read-committed fetch lets aborted records through',
    file: log,
    find: "if (entry.kind === 'marker' || entry.part?.outcome === 'aborted') continue",
    replace: "if (entry.kind === 'marker') continue",
  },
  {
    name: 'open-records-read',
    trap: 'KAFKA-9891: a standby follows up to the high watermark, and is promoted with what was never committed',
    file: log,
    find: 'const until = this.committedEnd\n    const records: StoredRecord[] = []',
    replace: 'const until = this.end\n    const records: StoredRecord[] = []',
  },
]
