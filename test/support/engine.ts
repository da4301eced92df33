// A small world for the engine: simulated partitions over stores that are Maps, a manual time, ids in order. It stands
// for what the runtime does around `process`: one batch an input, committed at once, inboxes between the partitions.
//
// W1. Every input is decided on rows that were decoded from bytes: each test is a round trip of the codecs as well.
// W2. After every input the labelled invariants of the state hold (engine-invariants.ts).
// `hold` keeps commands between partitions back, so that a test arranges a race; `deliver` lets them go on.
import assert from 'node:assert/strict'
import { partitionOf } from '../../src/base/partitioner.ts'
import type { Json } from '../../src/base/json.ts'
import { parseDuration } from '../../src/definition/duration.ts'
import { loadWorkflows } from '../../src/definition/parse.ts'
import type { Workflow } from '../../src/definition/workflow.ts'
import type { Action, Command, TaskFail, Travelling } from '../../src/engine/command.ts'
import type {
  ActionAnswer,
  CallAnswer,
  DeadLetter,
  Effect,
  HandlerRun,
  HandlerStop,
  Outgoing,
  StartAnswer,
} from '../../src/engine/effect.ts'
import type { Event } from '../../src/engine/event.ts'
import type { SourceRecord } from '../../src/engine/message.ts'
import { Payload } from '../../src/engine/payload.ts'
import { process as decideAll } from '../../src/engine/process.ts'
import type { RejectionCode } from '../../src/engine/rejection.ts'
import type { World } from '../../src/engine/world.ts'
import { decodeInbox, encodeInbox } from '../../src/records/inbox-codec.ts'
import { prefixes } from '../../src/records/keys.ts'
import type { CommittedRows } from '../../src/runtime/rows.ts'
import { Staging } from '../../src/runtime/staging.ts'
import { checkInvariants } from './engine-invariants.ts'
import { EngineView } from './engine-view.ts'

type CommandOutgoing = Extract<Outgoing, { type: 'command' }>

/** A record that a kafka-command produced, in words. */
export interface Produced {
  readonly topic: string
  readonly key: string | null
  readonly value: Json
  readonly headers: { readonly [name: string]: string }
  readonly partition: number | undefined
}

export interface RecordOptions {
  /** Text, or bytes; null is no key. */
  readonly key?: string | Uint8Array | null
  readonly headers?: { readonly [name: string]: string }
  readonly timestampMs?: number
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class EngineWorld extends EngineView {
  readonly events: Event[] = []
  readonly rejections: { readonly command: Command['type']; readonly code: RejectionCode }[] = []
  readonly produced: Produced[] = []
  /** The same as their bytes. */
  readonly sent: CommandOutgoing[] = []
  readonly deadLetters: DeadLetter[] = []
  /** Handler tasks that ask for a slot, and those that were told to run, and that it is over. */
  readonly requests: Extract<Effect, { type: 'handler.request' }>[] = []
  readonly runs: HandlerRun[] = []
  readonly aborts: Extract<Effect, { type: 'handler.abort' | 'handler.stop' }>[] = []
  /** Of those, the ones that were stopped. */
  readonly stopped: HandlerStop[] = []
  /** Of those, the ones that clean up; at once, unless `areStopsSlow`. */
  readonly stops: HandlerStop[] = []
  areStopsSlow = false
  /** W2; to look at all of a large state after every input would take too long. */
  checksInvariants = true
  readonly alarms: string[] = []
  /** Commands on their way between partitions, the first to be delivered first. */
  readonly inFlight: { readonly partition: number; readonly bytes: Uint8Array; readonly type: Travelling['type'] }[] =
    []
  /** Stands for the schemas of a registry, by "topic-value avro". */
  encode: (what: string, value: Json) => Uint8Array = () => assert.fail('there is no registry')
  /** What the log refuses: by topic, the code of the refusal. */
  readonly refusedTopics = new Map<string, string>()
  readonly #held = new Set<Travelling['type']>()
  readonly #answers: CallAnswer[] = []
  readonly #offsets = new Map<string, number>()
  readonly #files = new Map<string, readonly string[]>()
  /** Rows of each partition as the last look at its invariants decoded them: an insert over one of them is noticed. */
  readonly #loaded = new Map<number, CommittedRows>()
  #ids = 0
  #calls = 0

  /** Publishes workflows from YAML; what has the same name becomes a new version. */
  publish(yaml: string): readonly Workflow[] {
    const { workflows, problems } = loadWorkflows([{ file: 'test.yaml', text: yaml }], {})
    assert.deepEqual(problems, [])
    for (const workflow of workflows) {
      this.catalogue.addVersion(workflow, 0)
      this.#files.set(workflow.name, [workflow.version])
    }
    this.#index()
    return workflows
  }

  /** Takes a workflow out of the current ones. */
  withdraw(workflow: string): void {
    this.#files.delete(workflow)
    this.#index()
  }

  #index(): void {
    this.catalogue.setManifest('test', this.#files)
    this.catalogue.index()
    this.sync()
  }

  /** What partitions ask for when they begin to run, and when definitions have changed. */
  sync(): void {
    const known = this.stores.flatMap((store) => store.keys(prefixes.schedules))
    for (const workflow of new Set([...known, ...this.catalogue.listScheduled()]))
      this.input(this.partitionOf(workflow), { type: 'schedules.sync', workflow })
  }

  // What happens from outside.

  /** A start by API; its answer. */
  start(workflow: string, key: string, input: Json = null, idempotencyKey?: string): StartAnswer {
    const current = this.catalogue.current(workflow)
    assert.ok(current !== undefined, `${workflow} is published`)
    const call = this.#calls++
    this.input(this.partitionOf(key), {
      type: 'instance.start',
      workflow,
      version: current.version,
      key,
      origin: { kind: 'api', input: Payload.of(input), idempotencyKey, call, by: undefined },
    })
    const answer = this.#answers[call]
    assert.ok(answer !== undefined && answer.outcome !== 'done' && answer.outcome !== 'refused', 'the call is answered')
    return answer
  }

  /** A person acts on an instance; the answer. */
  operate(key: string, action: Action, workflow = 'w'): ActionAnswer {
    const call = this.#calls++
    const instanceId = this.instance(key, workflow).id
    this.input(this.partitionOf(key), { type: 'instance.operate', instanceId, call, by: 'ann', action })
    const answer = this.#answers[call]
    assert.ok(answer?.outcome === 'done' || answer?.outcome === 'refused', 'the call is answered')
    return answer
  }

  /** A record of a source topic, as JSON or as bytes. */
  record(topic: string, value: Json | Uint8Array, options: RecordOptions = {}): SourceRecord {
    const key = typeof options.key === 'string' ? encoder.encode(options.key) : (options.key ?? null)
    const partition = key === null ? 0 : partitionOf(key, this.stores.length)
    const place = `${topic}/${partition}`
    const offset = this.#offsets.get(place) ?? 0
    this.#offsets.set(place, offset + 1)
    const record: SourceRecord = {
      topic,
      partition,
      offset,
      timestampMs: options.timestampMs ?? this.nowMs,
      key,
      value: value instanceof Uint8Array ? value : encoder.encode(JSON.stringify(value)),
      headers: Object.entries(options.headers ?? {}).map(([name, text]) => ({
        key: name,
        value: encoder.encode(text),
      })),
    }
    this.route(record)
    return record
  }

  /** A record arrives on the partition that owns its source partition. */
  route(record: SourceRecord): void {
    this.input(record.partition % this.stores.length, { type: 'record.route', record })
  }

  /** Lets time pass: timers fire when they are due, the earliest first. */
  advance(duration: string): void {
    const ms = parseDuration(duration)
    assert.ok(ms !== undefined, `${duration} is a duration`)
    const untilMs = this.nowMs + ms
    // One of a suspended instance stays until that is resumed.
    const fired = new Set<string>()
    for (;;) {
      const next = this.timers().find(({ dueAtMs, key }) => dueAtMs <= untilMs && !fired.has(key))
      if (next === undefined) break
      this.nowMs = Math.max(this.nowMs, next.dueAtMs)
      const deferred = this.eventsOf('command.deferred').length
      this.input(next.partition, { type: 'timer.fire', timer: next.key })
      if (this.eventsOf('command.deferred').length > deferred) fired.add(next.key)
    }
    this.nowMs = untilMs
  }

  /** Every handler that waits for a slot gets one. */
  grantAll(): void {
    for (const { instanceId, task, attempt } of this.requests.splice(0)) {
      this.input(partitionOfId(instanceId), { type: 'task.execute', instanceId, task, attempt })
    }
  }

  /** A handler of the only run of this task returns. */
  complete(name: string, output: Json | Payload = null): void {
    const { instanceId, task, attempt } = this.lastRun(name)
    const payload = output instanceof Payload ? output : Payload.of(output)
    this.input(partitionOfId(instanceId), { type: 'task.complete', instanceId, task, attempt, output: payload })
  }

  /** A handler of the last run of this task throws. */
  fail(name: string, code = 'handler', more: Partial<Pick<TaskFail, 'isRetryable' | 'afterMs'>> = {}): void {
    const { instanceId, task, attempt } = this.lastRun(name)
    this.input(partitionOfId(instanceId), {
      type: 'task.fail',
      instanceId,
      task,
      attempt,
      error: { code, message: code },
      isRetryable: more.isRetryable ?? true,
      afterMs: more.afterMs,
    })
  }

  lastRun(name: string): HandlerRun {
    const run = this.runs.findLast((each) => each.name === name)
    assert.ok(run !== undefined, `${name} was run`)
    return run
  }

  /** Commands of these types stay on their way until `deliver`. */
  hold(...types: Travelling['type'][]): void {
    for (const type of types) this.#held.add(type)
  }

  /** What was held goes on, and nothing is held any more. */
  deliver(): void {
    this.#held.clear()
    this.#settle()
  }

  /** A value of the state is gone, as when a bug of ours set it aside. */
  lose(partition: number, key: string): void {
    this.stores[partition]?.commit([{ key, value: null }])
    this.#loaded.delete(partition)
  }

  /** Decides one input on its partition and commits it; then whatever may travel does. */
  input(partition: number, command: Command): void {
    this.#decide(partition, command)
    this.#settle()
    if (!this.areStopsSlow) this.endStops()
  }

  /** Handlers that were stopped have cleaned up. */
  endStops(): void {
    for (const { instanceId, task, attempt } of this.stops.splice(0)) {
      this.input(partitionOfId(instanceId), { type: 'task.stop-ended', instanceId, task, attempt })
    }
  }

  /** Events of one type, in order. */
  eventsOf<Type extends Event['type']>(type: Type): Extract<Event, { type: Type }>[] {
    return this.events.filter((event): event is Extract<Event, { type: Type }> => event.type === type)
  }

  #decide(partition: number, command: Command): void {
    const store = this.stores[partition]
    assert.ok(store !== undefined, `there is a partition ${partition}`)
    const refusals = new Map<string, string>()
    // An input that is decided again gives its instance the same id: a refusal names the attempt by it.
    const ids: string[] = []
    for (;;) {
      const staging = new Staging(this.#loaded.get(partition) ?? this.rows(partition), undefined) // W1
      const outgoing: Outgoing[] = []
      const effects: Effect[] = []
      const events: Event[] = []
      const rejections: typeof this.rejections = []
      decideAll(command, staging, this.surroundings(partition, refusals, ids), {
        outgoing,
        effects,
        onEvent: (event) => void events.push(event),
        onRejection: (refused, code) => void rejections.push({ command: refused.type, code }),
      })
      const refused = outgoing.find(
        (each): each is CommandOutgoing => each.type === 'command' && this.refusedTopics.has(each.topic),
      )
      if (refused !== undefined) {
        // The transaction was aborted: the same input is decided again with the refusal known.
        const place = attemptId(refused.instanceId, refused.task, refused.attempt)
        assert.ok(!refusals.has(place), 'a refused record is not produced again')
        refusals.set(place, this.refusedTopics.get(refused.topic) ?? '')
        continue
      }
      store.commit(staging.encode())
      this.events.push(...events)
      this.rejections.push(...rejections)
      for (const each of outgoing) this.#send(each)
      for (const effect of effects) this.#perform(effect)
      const loaded = this.rows(partition)
      if (this.checksInvariants) checkInvariants(store, loaded, this.catalogue) // W2
      this.#loaded.set(partition, loaded)
      return
    }
  }

  /** What a decision on a partition may look at beside its state. */
  surroundings(partition: number, refusals: ReadonlyMap<string, string> = new Map(), ids: string[] = []): World {
    let drawn = 0
    return {
      nowMs: this.nowMs,
      partition,
      partitions: this.stores.length,
      catalogue: this.catalogue,
      newId: () => (ids[drawn++] ??= (this.#ids++).toString().padStart(26, '0')),
      isReserved: (topic) => topic.startsWith('app.'),
      encode: (topic, what, format, value) => this.encode(`${topic}-${what} ${format}`, value),
      refusal: (instanceId, task, attempt) => {
        const code = refusals.get(attemptId(instanceId, task, attempt))
        return code === undefined ? undefined : { code, message: code }
      },
    }
  }

  #send(outgoing: Outgoing): void {
    switch (outgoing.type) {
      case 'inbox':
        this.inFlight.push({
          partition: outgoing.partition,
          bytes: encodeInbox(outgoing.command),
          type: outgoing.command.type,
        })
        return
      case 'dead-letter':
        this.deadLetters.push(outgoing)
        return
      case 'command':
        this.sent.push(outgoing)
        this.produced.push({
          topic: outgoing.topic,
          key: outgoing.key === null ? null : decoder.decode(outgoing.key),
          value: outgoing.value === null ? null : jsonOf(decoder.decode(outgoing.value)),
          headers: Object.fromEntries(outgoing.headers.map(({ key, value }) => [key, decoder.decode(value)])),
          partition: outgoing.partition,
        })
    }
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'handler.request':
        this.requests.push(effect)
        return
      case 'handler.run':
        this.runs.push(effect)
        return
      case 'handler.abort':
        this.aborts.push(effect)
        return
      case 'handler.stop':
        this.aborts.push(effect)
        this.stopped.push(effect)
        this.stops.push(effect)
        return
      case 'alarm':
        this.alarms.push(effect.message)
        return
      case 'call.answer':
        this.#answers[effect.call] = effect.answer
    }
  }

  #settle(): void {
    for (;;) {
      const at = this.inFlight.findIndex(({ type }) => !this.#held.has(type))
      const [next] = at === -1 ? [] : this.inFlight.splice(at, 1)
      if (next === undefined) return
      this.#decide(next.partition, decodeInbox(next.bytes))
    }
  }
}

/** What is no JSON is a text. */
function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

/** A world of three partitions in which these workflows are published. */
export function engineWorld(yaml: string, partitions = 3): EngineWorld {
  const world = new EngineWorld(partitions)
  world.publish(yaml)
  return world
}

/** A workflow `w` of these tasks (YAML, one a line); lines before them that begin at the margin belong to the workflow. */
export function workflowOf(tasks: readonly string[], ...head: readonly string[]): string {
  return ['workflow: w', ...head, 'tasks:', ...tasks.map((line) => `  ${line}`)].join('\n')
}

const attemptId = (instanceId: string, task: number, attempt: number): string => `${instanceId}/${task}/${attempt}`
const partitionOfId = (instanceId: string): number => Number(instanceId.slice(27))
