// The invariants of reliability.md, by their numbers, checked on what was committed after the faults have stopped and
// everything had time to heal. Each gives the violations it found, in words.
import type { Workflow } from '../../src/definition/workflow.ts'
import type { InstanceRow } from '../../src/engine/state.ts'
import { positionPrefix, topicsOf } from '../../src/records/keys.ts'
import { positionCodec } from '../../src/records/row-codec.ts'
import type { World } from './world.ts'
import { foldChangelog, instancesOf, recordsOf, rowsOf, valuesOf, type Fold } from './committed.ts'
import type { Journal } from './handlers.ts'
import type { Outside } from './outside.ts'
import type { Plan } from './plan.ts'

export interface Finished {
  readonly plan: Plan
  readonly world: World
  readonly outside: Outside
  readonly journal: Journal
  /** The compiled workflows of all releases, by version. */
  readonly workflows: ReadonlyMap<string, Workflow>
  readonly app: string
  readonly partitions: number
}

/** Every violation of every invariant. */
export function checkAll(run: Finished): readonly string[] {
  const folds = Array.from({ length: run.partitions }, (_, partition) =>
    foldChangelog(run.world.broker, topicsOf(run.app).changelog, partition),
  )
  const instances = folds.flatMap(instancesOf)
  return [
    ...startsOnce(run, instances),
    ...commandsOnce(run, instances),
    ...attemptsOnce(run, instances),
    ...storesFollow(run),
    ...positionsAtEnds(run, folds),
    ...timersAtRest(run, folds),
    ...repliesOnce(run, instances),
    ...nobodyWaitsBesideAnAnswer(folds),
    ...poisonSetAside(run),
    ...allAtRest(run, instances),
    ...nothingOpen(run),
  ]
}

/** I1: every accepted start gives exactly one instance; a second record with its key gives one more at most, later. */
function* startsOnce({ outside }: Finished, instances: readonly InstanceRow[]): Generator<string> {
  const found = new Map<string, InstanceRow[]>()
  for (const row of instances) found.set(row.key, [...(found.get(row.key) ?? []), row])
  const placed = new Map<string, number>()
  for (const { key, intent, isCommitted } of outside.produced)
    if (intent === 'start' && isCommitted) placed.set(key ?? '', (placed.get(key ?? '') ?? 0) + 1)
  for (const [key, times] of placed) {
    const rows = found.get(key) ?? []
    if (rows.length < 1 || rows.length > times)
      yield `I1: ${key} was placed ${times} times and has ${rows.length} instances`
    const origins = new Set(rows.map((row) => row.origin))
    if (origins.size !== rows.length) yield `I1: one record started ${key} twice`
    found.delete(key)
  }
  for (const key of found.keys()) yield `I1: nobody placed ${key}`
}

/** I3: each command exactly once in the committed output, and only those that the instances tell of. */
function* commandsOnce({ plan, world, workflows }: Finished, instances: readonly InstanceRow[]): Generator<string> {
  const sent = new Map<string, number>()
  for (const topic of plan.programs.commandTopics) {
    for (const value of valuesOf(world.broker, topic)) {
      const id = `${String(value['instance'])}/${String(value['task'])}`
      sent.set(id, (sent.get(id) ?? 0) + 1)
    }
  }
  for (const row of instances) {
    for (const task of workflows.get(row.version)?.tasks ?? []) {
      if (task.type !== 'kafka-command') continue
      const expected = row.tasks[task.index]?.status === 'COMPLETED' ? 1 : 0
      const id = `${row.id}/${task.name}`
      const times = sent.get(id) ?? 0
      if (times !== expected) yield `I3: ${id} was produced ${times} times, expected ${expected}`
      sent.delete(id)
    }
  }
  for (const id of sent.keys()) yield `I3: no instance tells of the command ${id}`
}

/** I4: one idempotency key for each task of each instance; a completed handler task was returned from. */
function* attemptsOnce({ journal, workflows }: Finished, instances: readonly InstanceRow[]): Generator<string> {
  const tasks = new Map<string, string>()
  for (const { instanceId, task, idempotencyKey } of journal) {
    const owner = `${instanceId}/${task}`
    const known = tasks.get(idempotencyKey)
    if (known !== undefined && known !== owner) yield `I4: ${owner} and ${known} share an idempotency key`
    tasks.set(idempotencyKey, owner)
  }
  const keys = new Map<string, string>()
  for (const [key, owner] of tasks) {
    if (keys.has(owner)) yield `I4: ${owner} has two idempotency keys`
    keys.set(owner, key)
  }
  for (const row of instances) {
    for (const task of workflows.get(row.version)?.tasks ?? []) {
      if (task.type !== 'handler' || row.tasks[task.index]?.status !== 'COMPLETED') continue
      const runs = journal.filter(
        (run) => run.instanceId === row.id && run.task === task.name && run.outcome === 'returned',
      )
      if (runs.length === 0) yield `I4: ${row.id}/${task.name} is COMPLETED and its handler never returned`
    }
  }
}

/** I5: every store equals the changelog folded up to the position in it. */
function* storesFollow({ world, app, partitions }: Finished): Generator<string> {
  for (const { name } of world.nodes()) {
    for (let partition = 0; partition < partitions; partition++) {
      const disk = world.disk(name)
      const position = disk.position(partition)
      if (position === undefined) continue
      const fold = foldChangelog(world.broker, topicsOf(app).changelog, partition, position.offset)
      const stored = new Map(disk.dump(partition).map(({ key, value }) => [key, value]))
      for (const [key, value] of fold) {
        const found = stored.get(key)
        if (found === undefined || Buffer.compare(found, value) !== 0)
          yield `I5: ${name} partition ${partition}: ${key} differs from the changelog`
      }
      for (const key of stored.keys())
        if (!fold.has(key)) yield `I5: ${name} partition ${partition}: ${key} is not in the changelog`
    }
  }
}

/** I6, I17: each source partition is read by its owner alone, and up to its end. */
function* positionsAtEnds({ plan, world, app, partitions }: Finished, folds: readonly Fold[]): Generator<string> {
  const topics = { ...plan.programs.topics, [topicsOf(app).inbox]: partitions }
  for (const [topic, count] of Object.entries(topics)) {
    if (plan.programs.commandTopics.includes(topic)) continue
    for (let s = 0; s < count; s++) {
      const owners = folds.flatMap((fold, partition) => (fold.has(`${positionPrefix}${topic}/${s}`) ? [partition] : []))
      const expected = s % partitions
      if (owners.length !== 1 || owners[0] !== expected) {
        yield `I6: ${topic}/${s} has positions in partitions ${owners.join(', ')}, expected ${expected}`
        continue
      }
      const value = folds[expected]?.get(`${positionPrefix}${topic}/${s}`)
      const { offset } = positionCodec.decode(value ?? new Uint8Array())
      const last = recordsOf(world.broker, topic, s).at(-1)?.offset ?? -1
      if (offset <= last) yield `I17: ${topic}/${s} was read up to ${offset}, and ends with ${last}`
    }
  }
}

/** I7: no timer is overdue. */
function* timersAtRest({ world }: Finished, folds: readonly Fold[]): Generator<string> {
  const nowMs = world.scheduler.clock.nowMs()
  for (const fold of folds) {
    for (const timer of rowsOf(fold, 'timers')) {
      if (timer.dueAtMs < nowMs - 30_000)
        yield `I7: a timer of ${JSON.stringify(timer.target)} is overdue by ${nowMs - timer.dueAtMs} ms`
    }
  }
}

/** I8: no reply was taken by two listeners. */
function* repliesOnce({ workflows }: Finished, instances: readonly InstanceRow[]): Generator<string> {
  const takenBy = new Map<string, string>()
  for (const row of instances) {
    for (const task of workflows.get(row.version)?.tasks ?? []) {
      if (task.type !== 'kafka-listener') continue
      const output = row.tasks[task.index]?.output?.value as { reply?: string } | undefined
      if (output?.reply === undefined) continue
      const before = takenBy.get(output.reply)
      const id = `${row.workflow} ${row.id}/${task.name}`
      // A record is offered to each workflow once: two workflows may take it.
      if (before?.startsWith(`${row.workflow} `) === true)
        yield `I8: reply ${output.reply} was taken by ${before} and ${id}`
      takenBy.set(output.reply, id)
    }
  }
}

/** I8: whoever waits, nothing that fits is kept for it. */
function* nobodyWaitsBesideAnAnswer(folds: readonly Fold[]): Generator<string> {
  for (const fold of folds) {
    for (const channel of rowsOf(fold, 'channels')) {
      if (channel.topic === 'shipping-events') continue // `where` may leave a record beside a waiter
      if (channel.waiters.length > 0 && channel.kept.length > 0)
        yield `I8: ${channel.topic} '${channel.value}' has a waiter and a kept record`
    }
  }
}

/** I14: each poisoned record is in the dead-letter topic once. */
function* poisonSetAside({ world, outside, app, partitions }: Finished): Generator<string> {
  let letters = 0
  for (let partition = 0; partition < partitions; partition++) {
    for (const { key } of recordsOf(world.broker, topicsOf(app).deadLetter, partition)) {
      if (
        Buffer.from(key ?? '')
          .toString()
          .startsWith('poison-')
      )
        letters += 1
    }
  }
  const poisoned = outside.produced.filter(({ intent, isCommitted }) => intent === 'poison' && isCommitted).length
  if (letters !== poisoned) yield `I14: ${poisoned} poisoned records, ${letters} in the dead-letter topic`
}

/** I16: every instance is terminal, in an incident, or waits for a record or a person. */
function* allAtRest({ outside }: Finished, instances: readonly InstanceRow[]): Generator<string> {
  for (const row of instances) {
    if (row.status !== 'EXECUTING' || row.incidents > 0) continue
    const open = row.tasks.flatMap((task) => (task?.open === undefined ? [] : [task.open.kind]))
    yield `I16: ${row.workflow} ${row.key} (${row.id}) is ${row.status}, open: ${open.join(', ') || 'nothing'}`
  }
  const completed = instances.filter((row) => row.status === 'COMPLETED').length
  if (outside.produced.filter(({ intent }) => intent === 'start').length > 4 && completed === 0)
    yield 'I16: nothing completed at all'
}

/** I17: no transaction is open. */
function* nothingOpen({ world }: Finished): Generator<string> {
  const open = world.broker.unfinishedTransactions()
  if (open.length > 0) yield `I17: open transactions: ${JSON.stringify(open)}`
}
