// Mistakes where records meet listeners.
import type { Plant } from '../plant.ts'

const channel = 'src/engine/deciders/channel.ts'
const task = 'src/engine/deciders/task.ts'

export const correlationPlants: readonly Plant[] = [
  {
    name: 'kept-taken-twice',
    trap: 'I8: a kept record that a listener takes stays kept, and the next one takes it too',
    file: channel,
    find: "accept().event({ type: 'record.unkept', number: mark.number, reason: 'matched' })",
    replace: 'accept()',
  },
  {
    name: 'returned-record-lost',
    trap: 'Zeebe: a record in flight to a listener that has just closed is lost for the next waiter',
    file: channel,
    find: 'offerOrKeep(command, state, world, accept(), { isStale: command.isStale })',
    replace:
      "(void offerOrKeep, state, world, accept().event({ type: 'record.dropped', reason: command.isStale ? 'stale' : 'expired' }))",
  },
  {
    name: 'matched-waiter-stays',
    trap: 'Zeebe: a waiter that was found a record stays in the channel: a lost acknowledgement, correlated twice',
    file: 'src/engine/apply.ts',
    find: "'channel.matched': channelLeft,",
    replace: "'channel.matched': tells,",
  },
  {
    name: 'subscription-leaks',
    trap: 'Zeebe: a listener that times out is withdrawn at its instance, not at its value: the subscription leaks',
    file: 'src/engine/stopping.ts',
    find: `out.send(at.world, partitionOfText(value, at.world.partitions), {
      type: 'channel.leave',`,
    replace: `out.send(at.world, partitionOfText(at.instance.key, at.world.partitions), {
      type: 'channel.leave',`,
  },
  {
    name: 'routed-by-source',
    trap: 'Zeebe: a record is routed by the partitions of its topic, a listener by those of the application',
    file: 'src/engine/deciders/record.ts',
    find: `    out.send(world, partitionOfText(value, world.partitions), {
      type: 'channel.publish',`,
    replace: `    out.send(world, record.partition % world.partitions, {
      type: 'channel.publish',`,
  },
  {
    name: 'newest-waiter-first',
    trap: 'C1: of two waiters with one value the newest is served first',
    file: 'src/engine/appliers/channel.ts',
    find: 'insertSorted(row.waiters, waiter, ({ sinceMs }: Waiter) => sinceMs)',
    replace: 'insertSorted(row.waiters, waiter, ({ sinceMs }: Waiter) => -sinceMs)',
  },
  {
    name: 'older-subscription-answered',
    trap: 'Zeebe: the answer to an older wait of a task is taken for one to the wait of now',
    file: task,
    find: "row?.open?.kind !== 'record' || row.open.number !== command.number",
    replace: "row?.open?.kind !== 'record'",
  },
  {
    name: 'kept-for-ever',
    trap: 'I8: a kept record has no timer, and is taken after its keep time',
    file: channel,
    find: "return out.event({ type: 'timer.armed', key: timer, row: { dueAtMs: expiresAtMs, target } })",
    replace: 'return out',
  },
  {
    name: 'crowd-passed-over',
    trap: 'C7: who comes finds room in the row of a value, and stands before those who wait in its crowd for longer',
    file: 'src/engine/appliers/channel.ts',
    find: 'const isFull = row.crowd !== undefined || row.waiters.length',
    replace: 'const isFull = row.waiters.length',
  },
  {
    name: 'crowd-torn',
    trap: 'C7: somebody leaves a crowd, and those behind are not found any more',
    file: 'src/engine/appliers/crowd.ts',
    find: 'if (before !== undefined) state.crowd.edit(crowdId(channel, before)).after = after',
    replace: 'if (before !== undefined) state.crowd.edit(crowdId(channel, before)).after = undefined',
  },
]
