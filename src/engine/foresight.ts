// Which rows a command will ask for, as far as it tells by itself: so that they can be read together, beforehand. What
// this does not foresee is read when it is asked for, so it may miss some, and may name some that nobody asks for.
import { partitionOfText } from '../base/partitioner.ts'
import type { Workflow } from '../definition/workflow.ts'
import type { Command } from './command.ts'
import { canonicalText } from './correlation.ts'
import { startKeyOf } from './deciders/record.ts'
import { formatOf } from './format.ts'
import { foresee, type SourceRecord } from './message.ts'
import { channelId, keptId, keyId, type ChannelRow, type KeyRow, type Rows, type TimerRow } from './state.ts'
import type { World } from './world.ts'

/** Tables of which rows are read beforehand. */
export type ForeseenTable = 'channels' | 'instances' | 'kept' | 'keys' | 'timers'

export interface ForeseenRow {
  readonly table: ForeseenTable
  readonly id: string
}

type Here = Pick<World, 'catalogue' | 'partition' | 'partitions'>

/** Of what is kept for one value, and of the listeners of one workflow: the first ones are mostly all. */
const eachMost = 8

/** The first rows that a command will ask for. */
export function rowsNamed(command: Command, here: Here): readonly ForeseenRow[] {
  switch (command.type) {
    case 'record.route':
      return rowsOfRecord(command.record, here)
    case 'channel.publish':
      return [{ table: 'channels', id: channelId(command.workflow, command.record.topic, command.value) }]
    case 'channel.join':
      return [{ table: 'channels', id: channelId(command.workflow, command.topic, command.value) }]
    case 'record.hand-out':
      return command.to.map(({ instanceId }) => instance(instanceId))
    case 'timer.fire':
      return [{ table: 'timers', id: command.timer }]
    default:
      return 'instanceId' in command ? [{ table: 'instances', id: command.instanceId }] : []
  }
}

/** What will be asked for once a row is known. */
export function rowsBehind(
  table: ForeseenTable,
  row: Rows[ForeseenTable],
  { partition }: Here,
): readonly ForeseenRow[] {
  switch (table) {
    case 'channels': {
      const { waiters, kept } = row as ChannelRow
      return [
        ...waiters.flatMap((waiter) => (waiter.partition === partition ? [instance(waiter.instanceId)] : [])),
        ...kept.slice(0, eachMost).map(({ number }) => ({ table: 'kept' as const, id: keptId(number) })),
      ]
    }
    case 'keys':
      return [instance((row as KeyRow).instanceId)]
    case 'timers': {
      const { target } = row as TimerRow
      return 'instanceId' in target ? [instance(target.instanceId)] : []
    }
    case 'instances':
    case 'kept':
      return []
  }
}

const instance = (id: string): ForeseenRow => ({ table: 'instances', id })

function rowsOfRecord(record: SourceRecord, here: Here): readonly ForeseenRow[] {
  const starts = here.catalogue.startsOn(record.topic)
  const groups = here.catalogue.listenersOn(record.topic)
  const rows: ForeseenRow[] = []
  try {
    for (const { workflow, trigger } of starts) {
      const message = foresee(record, formatOf(workflow, record.topic))
      const key = startKeyOf(trigger, record, message)
      if (key !== undefined && isHere(key, here)) rows.push(...rowsOfStart(workflow, key, here))
    }
    for (const { routes, workflow } of groups) {
      for (const { expression, format } of routes) {
        const value = canonicalText(expression.evaluate({ message: foresee(record, format) }))
        if (value !== undefined) rows.push(...channelHere(workflow, record.topic, value, here))
      }
    }
  } catch {
    // Whoever decides on it says what is wrong with it.
  }
  return rows
}

/** Its key, and where its listeners will look for what came before them, as far as its key tells. */
function rowsOfStart(workflow: Workflow, key: string, here: Here): readonly ForeseenRow[] {
  const { name, version } = workflow
  const rows: ForeseenRow[] = [{ table: 'keys', id: keyId(name, key) }]
  for (const task of workflow.tasks) {
    if (task.type !== 'kafka-listener') continue
    const side = task.correlate[0]?.instance
    if (side === undefined || ![...side.uses.roots].every((root) => root === 'instance')) continue
    const value = canonicalText(side.evaluate({ instance: { key, workflow: name, version } }))
    if (value !== undefined) rows.push(...channelHere(name, task.topic, value, here))
    if (rows.length > eachMost) break
  }
  return rows
}

const channelHere = (workflow: string, topic: string, value: string, here: Here): readonly ForeseenRow[] =>
  isHere(value, here) ? [{ table: 'channels', id: channelId(workflow, topic, value) }] : []

const isHere = (text: string, { partition, partitions }: Here): boolean =>
  partitionOfText(text, partitions) === partition
