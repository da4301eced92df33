// I10, I19: what processes have open at rest is what the group gave them, and what they opened on the way was theirs.
import { topicsOf } from '../../../src/records/keys.ts'
import type { Evidence } from './finished.ts'

/** I10: nobody opened the producer of a partition that the group had not given to it, or not confirmed since. */
export function* nobodyTrespasses({ world }: Evidence): Generator<string> {
  for (const trespass of world.trespasses) yield `I10: ${trespass}, and had no right to it`
}

/** I19: whoever runs has open what its partitions need, and nothing that is left from before. */
export function* handlesAreFew({ plan, views, world }: Evidence): Generator<string> {
  const partitions = Array.from({ length: plan.partitions }, (_, partition) => partition)
  for (const { name, conduct } of world.nodes()) {
    const view = views.get(name)
    if (view === undefined) continue
    const owned = partitions.filter((partition) => world.coordinator.ownerOf(partition) === name)
    const { changelog, definitions, inbox } = topicsOf(view.app)
    const readers = [`${definitions}/0`]
    for (const partition of partitions)
      if (world.coordinator.standbysOf(partition).includes(name)) readers.push(`${changelog}/${partition}`)
    for (const topic of world.broker.listTopics())
      if (topic.name === inbox || !topic.name.startsWith(`${view.app}.`))
        for (let source = 0; source < topic.partitions; source++)
          if (owned.includes(source % plan.partitions)) readers.push(`${topic.name}/${source}`)
    const producers = owned.map((partition) => `${view.app}-${partition}`)
    for (const place of surplus(conduct.openReaders, readers)) yield `I19: ${name} has a reader of ${place} too many`
    for (const id of surplus(conduct.openProducers, producers)) yield `I19: ${name} has a producer of ${id} too many`
    for (const partition of surplus(conduct.openStores, partitions))
      yield `I19: ${name} has the store of partition ${partition} open twice`
  }
}

/** I19: no promise was rejected that nobody waited for. */
export function* rejectionsAreHeard({ rejections }: Evidence): Generator<string> {
  for (const rejection of rejections) yield `I19: nobody waited for a promise that was rejected: ${rejection}`
}

/** What is open beyond what is allowed to be, each once for each time. */
function* surplus<Of>(open: readonly Of[], allowed: readonly Of[]): Generator<Of> {
  const left = [...allowed]
  for (const one of open) {
    const at = left.indexOf(one)
    if (at === -1) yield one
    else left.splice(at, 1)
  }
}
