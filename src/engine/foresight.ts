// Which rows a command will ask for, as far as it tells by itself: so that they can be read together, beforehand. What
// this does not foresee is read when it is asked for, so it may miss some, and may name some that nobody asks for.
import { partitionOfText } from '../base/partitioner.ts'
import type { Command } from './command.ts'
import { canonicalText } from './correlation.ts'
import { foresee, type SourceRecord } from './message.ts'
import { channelId, type ChannelRow, type TimerRow } from './state.ts'
import type { World } from './world.ts'

/** Tables whose rows lead to others. */
export type ForeseenTable = 'channels' | 'instances' | 'timers'

export interface ForeseenRow {
  readonly table: ForeseenTable
  readonly id: string
}

type Here = Pick<World, 'catalogue' | 'partition' | 'partitions'>

/** The first rows that a command will ask for. */
export function rowsNamed(command: Command, here: Here): readonly ForeseenRow[] {
  switch (command.type) {
    case 'record.route':
      return channelsOf(command.record, here)
    case 'channel.publish':
      return [{ table: 'channels', id: channelId(command.workflow, command.record.topic, command.value) }]
    case 'timer.fire':
      return [{ table: 'timers', id: command.timer }]
    default:
      return 'instanceId' in command ? [{ table: 'instances', id: command.instanceId }] : []
  }
}

/** What will be asked for once a row is known. */
export function rowsBehind(table: ForeseenTable, row: unknown, { partition }: Here): readonly ForeseenRow[] {
  if (table === 'channels') {
    const { waiters } = row as ChannelRow
    return waiters.flatMap((waiter) =>
      waiter.partition === partition ? [{ table: 'instances' as const, id: waiter.instanceId }] : [],
    )
  }
  if (table !== 'timers') return []
  const { target } = row as TimerRow
  return 'instanceId' in target ? [{ table: 'instances', id: target.instanceId }] : []
}

function channelsOf(record: SourceRecord, { catalogue, partition, partitions }: Here): readonly ForeseenRow[] {
  const groups = catalogue.listenersOn(record.topic)
  if (groups.length === 0) return []
  const rows: ForeseenRow[] = []
  try {
    const message = foresee(record)
    for (const { routes, workflow } of groups) {
      for (const route of routes) {
        const value = canonicalText(route.evaluate({ message }))
        if (value !== undefined && partitionOfText(value, partitions) === partition)
          rows.push({ table: 'channels', id: channelId(workflow, record.topic, value) })
      }
    }
  } catch {
    // Whoever decides on it says what is wrong with it.
  }
  return rows
}
