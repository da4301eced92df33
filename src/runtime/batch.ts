// One batch: inputs decided on an overlay. What it needs to be committed, and what is owed once it is.
import { partitionOfText } from '../base/partitioner.ts'
import { RecordRefused, type TaskError } from '../base/errors.ts'
import type { Happening } from '../base/tracing.ts'
import type { DeadLetter, Effect, Outgoing } from '../engine/effect.ts'
import type { Command } from '../engine/command.ts'
import type { Event, EventType } from '../engine/event.ts'
import { process } from '../engine/process.ts'
import type { RejectionCode } from '../engine/rejection.ts'
import type { Catalogue, World } from '../engine/world.ts'
import { utf8 } from '../base/utf8.ts'
import { encodeInbox } from '../records/inbox-codec.ts'
import { deadLetterRecord } from '../records/dead-letter.ts'
import type { AppTopics } from '../records/keys.ts'
import { updateRecord } from '../records/update.ts'
import { happeningOf, withTopics } from './happenings.ts'
import type { OutgoingRecord, StoreChange } from './ports.ts'
import type { Source } from './sources.ts'
import type { Staging } from './staging.ts'
import type { Tally } from './metrics/tally.ts'
import type { BatchUpdates } from './updates.ts'

/** Something to decide. `alone`: it is suspected, and gets a batch of its own. */
export interface Input {
  readonly command: Command | undefined
  /** The source that it was taken from, and its position behind it. */
  readonly from: { readonly source: Source; readonly offset: number } | undefined
  /** A command of this worker (a handler's result, an API call): offered again where its batch falls. */
  readonly own: OwnCommand | undefined
  isAlone: boolean
  /** Ids that were drawn for it: the same when it is decided again, so that a refusal finds its instance. */
  readonly ids: string[]
  /** What it tripped when it was decided alone: it goes to the dead-letter topic instead. */
  poison: Error | undefined
}

export interface OwnCommand {
  readonly command: Command
  /** The call was not decided: tells its caller why. Absent for a handler's result, which is kept. */
  readonly onLost: ((reason: 'not-ready' | 'outcome-unknown') => void) | undefined
}

/** One count for each kind of thing that happened, by name. */
export type Counters = Map<string, number>
export const count = (counters: Counters, name: string, by = 1): void =>
  void counters.set(name, (counters.get(name) ?? 0) + by)

const counterNames = new Map<EventType | RejectionCode, string>()

/** "instance.started" as the name of a counter: "instance_started". */
function counterOf(name: EventType | RejectionCode): string {
  let counter = counterNames.get(name)
  if (counter === undefined) counterNames.set(name, (counter = name.replaceAll(/[.-]/g, '_')))
  return counter
}

export class Batch {
  readonly inputs: readonly Input[]
  readonly staging: Staging
  readonly tally: Tally
  readonly effects: Effect[] = []
  readonly counters: Counters = new Map()
  readonly armed: { readonly key: string }[] = []
  readonly touched = new Set<string>()
  /** undefined: nobody wants any. */
  readonly updates: BatchUpdates | undefined
  readonly #happened: Happening[] = []
  readonly #outgoing: Outgoing[] = []
  changes: StoreChange[] = []

  constructor(inputs: readonly Input[], staging: Staging, tally: Tally, updates: BatchUpdates | undefined) {
    this.inputs = inputs
    this.staging = staging
    this.tally = tally
    this.updates = updates
  }

  /** @throws whatever an input trips; the batch must be dropped. */
  decide(given: World): void {
    const gathered = {
      outgoing: this.#outgoing,
      effects: this.effects,
      onDecided: given.tracing && ((event: Event): void => this.#trace(event, given.catalogue)),
      onEvent: (event: Event): void => this.#note(event),
      onRejection: (_command: Command, code: RejectionCode): void =>
        count(this.counters, `rejected_${counterOf(code)}`),
    }
    let ids: string[] = []
    let drawn = 0
    const world: World = { ...given, newId: () => (ids[drawn++] ??= given.newId()) }
    for (const input of this.inputs) {
      ids = input.ids
      drawn = 0
      if (input.from !== undefined) {
        const { source, offset } = input.from
        this.staging.position(source.topic, source.partition, { topicId: source.topicId, offset })
      }
      if (input.poison !== undefined) this.#bury(input, input.poison, world, gathered)
      else if (input.command !== undefined) process(input.command, this.staging, world, gathered)
    }
    this.changes = this.staging.encode()
    if (this.updates === undefined) return
    count(this.counters, 'updates_written', this.updates.written.length)
    count(this.counters, 'updates_held_back', this.updates.heldBack)
  }

  /** The transaction: the state's values first, then what goes out, in the order it was decided. */
  records(topics: AppTopics, partition: number): readonly OutgoingRecord[] {
    const records: OutgoingRecord[] = []
    for (const { key, value } of this.changes)
      records.push({ topic: topics.changelog, partition, key: utf8(key), value })
    for (const outgoing of this.#outgoing) records.push(recordOf(outgoing, topics))
    for (const { instanceId, update } of this.updates?.written ?? [])
      records.push(updateRecord(instanceId, update, topics.updates, partition))
    return records
  }

  /** What stands at an index of `records`; undefined for a value of the state. */
  outgoingAt(index: number): Outgoing | undefined {
    return this.#outgoing[index - this.changes.length]
  }

  /** True where an update stands at an index of `records`. */
  isUpdate(index: number): boolean {
    return index >= this.changes.length + this.#outgoing.length
  }

  /** What becomes of it in traces. */
  get happenings(): readonly Happening[] {
    return withTopics(this.#happened, this.#outgoing)
  }

  #trace(event: Event, catalogue: Catalogue): void {
    const happening = happeningOf(event, this.staging, catalogue)
    if (happening !== undefined) this.#happened.push(happening)
  }

  #note(event: Event): void {
    count(this.counters, counterOf(event.type))
    this.tally.note(event)
    this.updates?.note(event, this.staging)
    if (event.type === 'timer.armed') this.armed.push({ key: event.key })
    if (event.type === 'record.unkept') count(this.counters, `record_unkept_${event.reason}`)
    if (event.type === 'instance.not-started')
      count(this.counters, `instance_not_started_${event.reason.replaceAll('-', '_')}`)
    if ('instanceId' in event && event.type !== 'channel.left' && event.type !== 'channel.matched')
      this.touched.add(event.instanceId)
    if (event.type === 'instance.started') this.touched.add(event.row.id)
  }

  /** A record that trips a bug of ours goes to the dead-letter topic; the instance that it met waits for a person. */
  #bury(input: Input, error: Error, world: World, gathered: Parameters<typeof process>[3]): void {
    count(this.counters, 'engine_faults')
    const { command } = input
    if (command === undefined) return
    const isRefused = error instanceof RecordRefused
    const code = isRefused ? error.reason : 'engine'
    const message = isRefused
      ? error.message
      : `dagger-worker could not process this (a bug in dagger-worker): ${error.message}`
    // Its schedule would wait for its end.
    if (command.type === 'instance.start' && command.origin.kind === 'schedule') {
      const { workflow, origin } = command
      const partition = partitionOfText(workflow, world.partitions)
      this.#outgoing.push({ type: 'inbox', partition, command: { type: 'schedule.ended', workflow, due: origin.due } })
    }
    const letter = letterOf(command, code, message)
    if (letter !== undefined) {
      this.#outgoing.push(letter)
      count(this.counters, 'record_dead_lettered')
      this.tally.deadLettered(code)
    }
    if (command.type === 'timer.fire') {
      const timer = this.staging.timers.find(command.timer)
      if (timer !== undefined) this.staging.timers.remove(command.timer)
      if (timer?.target.kind === 'task') this.#suspect(timer.target.instanceId, { code, message }, world, gathered)
    }
    if (command.type === 'record.hand-out')
      for (const { instanceId } of command.to) this.#suspect(instanceId, { code, message }, world, gathered)
    if (command.type === 'channel.join') this.#suspect(command.waiter.instanceId, { code, message }, world, gathered)
    if ('instanceId' in command) this.#suspect(command.instanceId, { code, message }, world, gathered)
    input.own?.onLost?.('not-ready')
  }

  #suspect(instanceId: string, error: TaskError, world: World, gathered: Parameters<typeof process>[3]): void {
    process({ type: 'instance.suspect', instanceId, error }, this.staging, world, gathered)
  }
}

function recordOf(outgoing: Outgoing, topics: AppTopics): OutgoingRecord {
  switch (outgoing.type) {
    case 'inbox':
      return { topic: topics.inbox, partition: outgoing.partition, key: null, value: encodeInbox(outgoing.command) }
    case 'dead-letter':
      return { topic: topics.deadLetter, ...deadLetterRecord(outgoing) }
    case 'command': {
      const { topic, partition, key, value, headers } = outgoing
      return { topic, key, value, headers, ...(partition === undefined ? {} : { partition }) }
    }
  }
}

function letterOf(command: Command, code: string, message: string): DeadLetter | undefined {
  const letter = { type: 'dead-letter', code, message } as const
  switch (command.type) {
    case 'record.route':
      return { ...letter, record: command.record, workflows: [] }
    case 'channel.publish':
    case 'channel.return':
    case 'instance.correlate':
    case 'record.hand-out':
      return { ...letter, record: command.record, workflows: [command.workflow] }
    case 'instance.start':
      return command.origin.kind === 'record'
        ? { ...letter, record: command.origin.record, workflows: [command.workflow] }
        : undefined
    default:
      return undefined
  }
}
