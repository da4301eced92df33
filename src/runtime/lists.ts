// Timers, subscriptions and kept records of the partitions that run here, in words: rows of the state as people ask for them.
import { firstWaiters, waitingIn } from '../engine/crowd-row.ts'
import { coordinates } from '../engine/message.ts'
import { nameOfNode, rowAt, taskAt } from '../engine/nodes.ts'
import { keptId, type ChannelRow, type KeptRow, type TimerRow, type TimerTarget } from '../engine/state.ts'
import { prefixes } from '../records/keys.ts'
import type { WorkflowCatalogue } from './catalogue.ts'
import { placeView } from './dead-letters/dead-letter-views.ts'
import type { PartitionHost } from './host.ts'
import type {
  ChannelFilter,
  KeptView,
  ListsFace,
  OrderedPage,
  SubscriptionView,
  TimerFilter,
  TimerKind,
  TimerView,
} from './faces/list-face.ts'
import { comparePlaces, cursorOf, placeOf, type Place } from './cursor.ts'
import { pageOf, rowsOf, type Row } from './ordered-list.ts'
import type { Reading } from './reading.ts'
import { keyView, timeView, valueView } from './record-view.ts'
import type { CommittedRows } from './rows.ts'
import { runningHere } from './running.ts'

const waitersMax = 100

type Description = Pick<TimerView, 'kind' | 'what'> &
  Partial<Pick<TimerView, 'workflow' | 'key' | 'instanceId' | 'task'>>

export class Lists implements ListsFace {
  readonly #hosts: readonly PartitionHost[]
  readonly #catalogue: WorkflowCatalogue

  constructor(hosts: readonly PartitionHost[], catalogue: WorkflowCatalogue) {
    this.#hosts = hosts
    this.#catalogue = catalogue
  }

  /** @throws {Unavailable} */
  timers(filter: TimerFilter): Promise<OrderedPage<TimerView>> {
    const after = placeOf(filter.cursor)
    const streams = runningHere(this.#hosts).map(({ partition, reading }) => ({
      partition,
      rows: this.#timerRows(reading, partition, after, filter),
    }))
    return pageOf(streams, filter.limit)
  }

  /** @throws {Unavailable} */
  subscriptions(filter: ChannelFilter): Promise<OrderedPage<SubscriptionView>> {
    return this.#channels(filter, ({ key, row, partition, rows }) => {
      const waiting = waitingIn(row)
      if (waiting === 0) return []
      const place = { key, number: 0 }
      const { workflow, topic, value } = row
      const first = firstWaiters(waitersMax, key, row, (id) => rows.find('crowd', id))
      const waiters = first.map(({ instanceId, version, task, sinceMs, others }) => {
        const known = this.#catalogue.find(version)
        const name = known === undefined ? '' : taskAt(known, task).name
        return { instanceId, task: name, since: timeView(sinceMs) ?? '', others }
      })
      return [{ place, item: { cursor: cursorOf(place), partition, workflow, topic, value, waiting, waiters } }]
    })
  }

  /** @throws {Unavailable} */
  kept(filter: ChannelFilter & { readonly withRecord?: boolean }): Promise<OrderedPage<KeptView>> {
    return this.#channels(filter, ({ key, row, partition, rows }) =>
      row.kept.flatMap(({ number }) => {
        const kept = rows.find('kept', keptId(number))
        if (kept === undefined) return []
        const place = { key, number }
        return [{ place, item: keptView(kept, row, { partition, place, withRecord: filter.withRecord === true }) }]
      }),
    )
  }

  #channels<Item extends { readonly cursor: string }>(
    filter: ChannelFilter,
    make: (of: {
      readonly key: string
      readonly row: ChannelRow
      readonly partition: number
      readonly rows: CommittedRows
    }) => readonly Row<Item>[],
  ): Promise<OrderedPage<Item>> {
    const after = placeOf(filter.cursor)
    const range = channelRange(filter)
    const streams = runningHere(this.#hosts).map(({ partition, reading }) => ({
      partition,
      rows: rowsOf<Row<Item>>(reading, { ...range, from: `${prefixes.channels}${after.key}` }, (key, value, rows) => {
        const row = rows.decode('channels', value)
        const own = key.slice(prefixes.channels.length)
        const found = fits(row, filter) ? make({ key: own, row, partition, rows }) : []
        // The row itself has a place, so that a page which finds nothing goes on behind it.
        const looked: Row<Item> = { place: { key: own, number: 999_999_999_999_999 }, item: undefined }
        return [...found, looked].filter(({ place }) => comparePlaces(place, after) > 0)
      }),
    }))
    return pageOf(streams, filter.limit)
  }

  #timerRows(reading: Reading, partition: number, after: Place, filter: TimerFilter): AsyncGenerator<Row<TimerView>> {
    const { timers: prefix } = prefixes
    return rowsOf<Row<TimerView>>(reading, { prefix, from: `${prefix}${after.key}` }, (key, value, rows) => {
      const place = { key: key.slice(prefix.length), number: partition }
      if (comparePlaces(place, after) <= 0) return []
      const row = rows.decode('timers', value)
      if (filter.all !== true && filter.kind === undefined && isHousekeeping(row)) return [{ place, item: undefined }]
      const described = this.#describe(row.target, rows)
      const isWanted =
        (filter.kind === undefined || filter.kind === described.kind) &&
        (filter.workflow === undefined || filter.workflow === described.workflow)
      if (!isWanted) return [{ place, item: undefined }]
      const dueAt = timeView(row.dueAtMs) ?? ''
      return [{ place, item: { cursor: cursorOf(place), partition, dueAt, ...described } }]
    })
  }

  #describe(target: TimerTarget, rows: CommittedRows): Description {
    switch (target.kind) {
      case 'expire-kept': {
        const kept = rows.find('kept', keptId(target.number))
        const what = kept === undefined ? 'a kept record' : `${coordinates(kept.record)}, which nobody came for`
        const workflow = kept?.channel.split('/', 1)[0]
        return { kind: target.kind, what, ...(workflow === undefined ? {} : { workflow }) }
      }
      case 'forget-answer':
        return { kind: target.kind, what: 'an Idempotency-Key is forgotten' }
      case 'schedule':
        return { kind: target.kind, what: 'the next start of its schedule', workflow: target.workflow }
      default:
        return this.#describeOfInstance(target, rows)
    }
  }

  #describeOfInstance(target: Extract<TimerTarget, { readonly instanceId: string }>, rows: CommittedRows): Description {
    const { instanceId } = target
    const instance = rows.find('instances', instanceId)
    const workflow = instance && this.#catalogue.find(instance.version)
    if (instance === undefined || workflow === undefined)
      return {
        kind: target.kind === 'task' ? 'timeout' : target.kind,
        what: 'an instance that is not there',
        instanceId,
      }
    const of = { workflow: instance.workflow, key: instance.key, instanceId }
    if (target.kind === 'forget-instance') return { kind: target.kind, what: 'the instance is forgotten', ...of }
    if (target.task === -1) return { kind: kindOf(target, undefined), what: whatOf[kindOf(target, undefined)], ...of }
    const tables = { blocks: { find: (id: string) => rows.find('blocks', id) } }
    const kind = kindOf(target, rowAt(tables, instance, target.task)?.open?.kind)
    return { kind, what: whatOf[kind], ...of, task: nameOfNode(tables, instance, workflow, target.task) }
  }
}

const isHousekeeping = ({ target }: TimerRow): boolean =>
  target.kind === 'forget-instance' || target.kind === 'forget-answer'

/** What a timer is for, by what its task waits for. */
function kindOf(target: TimerTarget, open: string | undefined): TimerKind {
  if (target.kind !== 'task') return target.kind
  switch (open) {
    case 'retry':
    case 'time':
    case 'interval':
      return open
    case 'children':
      return 'items'
    case 'stopping':
      return 'stop-timeout'
    default:
      return 'timeout'
  }
}

const whatOf: { readonly [kind in TimerKind]: string } = {
  timeout: 'its wait or its attempt ends',
  retry: 'its next attempt',
  time: 'what it waits for',
  interval: 'its next run',
  items: 'more of its items begin',
  'stop-timeout': 'the time of its handler to clean up ends',
  'max-duration': 'its maxDuration ends',
  monitor: 'its monitor runs',
  deadline: 'its deadline passes',
  schedule: 'the next start of its schedule',
  'expire-kept': 'a kept record goes',
  'forget-instance': 'the instance is forgotten',
  'forget-answer': 'an Idempotency-Key is forgotten',
}

/** Where the channels lie that a filter wants, as far as their ids say. */
function channelRange({ workflow, topic, value }: ChannelFilter): { readonly prefix: string; readonly to?: string } {
  const all = prefixes.channels
  if (workflow === undefined) return { prefix: all }
  if (topic === undefined) return { prefix: `${all}${workflow}/` }
  const prefix = `${all}${workflow}/${topic}/`
  return value === undefined ? { prefix } : { prefix: `${prefix}${value}`, to: `${prefix}${value}\0` }
}

const fits = (row: ChannelRow, { workflow, topic, value }: ChannelFilter): boolean =>
  (workflow === undefined || row.workflow === workflow) &&
  (topic === undefined || row.topic === topic) &&
  (value === undefined || row.value === value)

function keptView(
  kept: KeptRow,
  { workflow, value }: ChannelRow,
  how: { readonly partition: number; readonly place: Place; readonly withRecord: boolean },
): KeptView {
  const { record, arrivedAtMs, expiresAtMs, bytes, onExpired } = kept
  const { value: shown, valueBase64 } = valueView(record.value)
  return {
    cursor: cursorOf(how.place),
    partition: how.partition,
    workflow,
    value,
    source: placeView(record),
    arrivedAt: timeView(arrivedAtMs) ?? '',
    expiresAt: timeView(expiresAtMs) ?? '',
    bytes,
    onExpired,
    ...keyView(record.key),
    ...(how.withRecord ? { record: shown } : {}),
    ...(how.withRecord && valueBase64 !== undefined ? { recordBase64: valueBase64 } : {}),
  }
}
