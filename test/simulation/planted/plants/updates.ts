// Mistakes in what is told of instances.
import type { Plant } from '../plant.ts'

export const updatePlants: readonly Plant[] = [
  {
    name: 'updates-apart',
    trap: 'I21: updates are written apart from the transaction, and tell of what never was, or twice',
    file: 'src/runtime/partition.ts',
    find: 'const ends = await this.#producer.transact(batch.records(topics, partition))',
    replace: `const all = batch.records(topics, partition)
    await this.#options.log.produce(all.filter(({ topic }) => topic === topics.updates))
    const ends = await this.#producer.transact(all.filter(({ topic }) => topic !== topics.updates))`,
  },
  {
    name: 'update-of-nothing',
    trap: 'I21: an event that left no entry in the timeline is told, under the number of the entry before',
    file: 'src/records/update.ts',
    find: "(event.type === 'instance.ending' && entry.status !== 'COMPENSATING')",
    replace: 'false',
  },
]
