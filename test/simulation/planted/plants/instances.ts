// Mistakes in the life of an instance: its start, its version, its end.
import type { Plant } from '../plant.ts'

const instance = 'src/engine/deciders/instance.ts'

export const instancePlants: readonly Plant[] = [
  {
    name: 'started-twice',
    trap: 'I1: the key of an instance is taken for free until the instance has ended',
    file: 'src/engine/deciders/start.ts',
    find: 'const isOpen = !hasEnded(instance)\n',
    replace: 'const isOpen = hasEnded(instance)\n',
  },
  {
    name: 'answer-forgotten',
    trap: 'I1: a call that is repeated under its idempotency key starts another instance',
    file: 'src/engine/deciders/beginning.ts',
    find: "remember(command, { outcome: 'started', instanceId, key }, state, world, out)",
    replace:
      "if (workflow.onRunning === 'ignore') remember(command, { outcome: 'started', instanceId, key }, state, world, out)",
  },
  {
    name: 'newest-version',
    trap: 'I12: an instance goes on under the version that is current, not the one that it began with',
    file: instance,
    find: 'const workflow = world.catalogue.find(version)\n',
    replace: "const workflow = world.catalogue.current(version.split('@')[0] ?? '') ?? world.catalogue.find(version)\n",
  },
  {
    name: 'completed-twice',
    trap: 'I2: two branches that end in one batch each end the instance',
    file: 'src/engine/deciders/ending.ts',
    find: `if (!isUnderWay(instance)) return reject('instance-closed')
  // Handlers that were stopped, and clean up, are waited for.
  if (instance.stopping > 0 || instance.unsettled > 0) return out
  // It waits for a person already: to end now would hide that.`,
    replace: "if (instance.status === 'STOPPED') return reject('instance-closed')",
  },
  {
    name: 'work-outlives-its-instance',
    trap: 'An instance that fails leaves its open tasks: handlers, timers and subscriptions go on',
    file: 'src/engine/stopping.ts',
    find: 'if (isUnfinished(row)) stopTask(attemptOf(place, world, row.attempt), row, out)',
    replace: 'if (isUnfinished(row) && row.hasIncident) stopTask(attemptOf(place, world, row.attempt), row, out)',
  },
  {
    name: 'first-edge-starts',
    trap: 'S1: a task starts with its first live edge, while others are not settled',
    file: 'src/engine/deciders/scope.ts',
    find: 'if (row === undefined || !isSettled(row)) return\n',
    replace: 'if (row === undefined || !isSettled(row)) continue\n',
  },
]
