// Instances as the face has them: what is asked is answered from committed state, what is done waits for its commit.
import type { Calls } from './calls.ts'
import type { InstancesFace } from './faces/instance-face.ts'
import type { Queries } from './queries.ts'

/** The instances of a worker. */
export function instancesOf(calls: Calls, queries: Queries): InstancesFace {
  return {
    start: (request) => calls.start(request),
    operate: (id, action, by) => calls.operate(id, action, by),
    find: async (id) => queries.find(id),
    findByKey: async (workflow, key) => queries.findByKey(workflow, key),
    list: (filter) => queries.list(filter),
    follow: (id, seen, waitMs) => queries.follow(id, seen, waitMs),
    watch: (listener) => queries.watch(listener),
  }
}
