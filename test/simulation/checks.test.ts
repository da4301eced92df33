// Each check reports what it is there for: a finished run with nothing wrong in it is doctored in one place, and the
// check has to say so. A check with no case here fails the last test: what cannot fail proves nothing.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { keptId, type ChannelRow, type InstanceRow, type KeptRow, type TimelineRow } from '../../src/engine/state.ts'
import { encodeInstance } from '../../src/records/instance-codec.ts'
import { prefixes } from '../../src/records/keys.ts'
import { channelCodec, keptCodec, timerCodec } from '../../src/records/row-codec.ts'
import { checks, evidenceOf } from './checks/all.ts'
import type { Evidence, Finished } from './checks/finished.ts'
import { fits, takingsOf } from './checks/listeners.ts'
import { hashOf } from './checks/logs.ts'
import { Committed, type Life, type Seeing } from './committed.ts'
import type { Seen } from './history.ts'
import { planOf } from './plan.ts'
import { simulate } from './run.ts'

type Name = keyof typeof checks
/** A run with something wrong in it; undefined where this one has nothing to be doctored. */
type Doctor = (run: Evidence) => Finished | undefined

const doctors = new Map<Name, Doctor>()
const runs: Evidence[] = []
const runsNeeded = 12

before(async () => {
  for (let seed = 1; runs.length < runsNeeded; seed++) {
    const { finished, violations } = await simulate(planOf(seed))
    if (violations.length === 0) runs.push(evidenceOf(finished))
  }
})

function reports(name: Name, invariant: string, title: string, doctor: Doctor): void {
  doctors.set(name, doctor)
  test(`${invariant}: ${title} (${name})`, () => {
    for (const run of runs) {
      const doctored = doctor(run)
      if (doctored === undefined) continue
      const found = [...checks[name](evidenceOf(doctored))]
      assert.ok(
        found.some((violation) => violation.startsWith(`${invariant}: `)),
        `${name} found nothing wrong`,
      )
      return
    }
    assert.fail('no run has what this is about')
  })
}

/** The run with the records of one partition changed. */
function change(
  run: Finished,
  topic: string,
  partition: number,
  to: (seen: readonly Seen[]) => readonly Seen[],
): Finished {
  const { history, partitions } = run.committed
  const of: Seeing['of'] = (name, number) =>
    name === topic && number === partition ? to(history.of(name, number)) : history.of(name, number)
  const counts = new Map<string, number>()
  for (const place of history.places()) {
    const name = place.slice(0, place.lastIndexOf('/'))
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const all: Seeing['all'] = (name) =>
    Array.from({ length: counts.get(name) ?? 0 }, (_, number) => of(name, number)).flat()
  const app = run.committed.topics.changelog.replace('.changelog', '')
  return { ...run, committed: new Committed({ of, all, places: () => history.places() }, app, partitions) }
}

const changelogOf = (run: Finished, partition: number, to: (seen: readonly Seen[]) => readonly Seen[]): Finished =>
  change(run, run.committed.topics.changelog, partition, to)

const keyOf = ({ key }: Seen): string => Buffer.from(key ?? '').toString()

/** One more transaction at the end, of one value. */
function write(run: Finished, partition: number, key: string, value: Uint8Array | null): Finished {
  return changelogOf(run, partition, (seen) => {
    const last = seen.at(-1)
    return last === undefined ? [] : [...seen, { ...last, offset: last.offset + 2, key: Buffer.from(key), value }]
  })
}

const writeInstance = (run: Finished, { partition }: Life<InstanceRow>, row: InstanceRow): Finished =>
  write(run, partition, `${prefixes.instances}${row.id}`, encodeInstance(row).bytes)

/** The run with what an instance became last told differently. */
function retell(run: Finished, life: Life<InstanceRow>, fields: Partial<InstanceRow>): Finished {
  return writeInstance(run, life, { ...life.last, ...fields })
}

const entry = (life: Life<InstanceRow>, fields: Partial<TimelineRow>): TimelineRow => ({
  ...{ atMs: life.last.startedAtMs, task: 0, status: 'COMPLETED', attempt: 1, note: undefined },
  ...fields,
})

const ended = ({ last, isRemoved }: Life<InstanceRow>): boolean => last.status !== 'EXECUTING' && !isRemoved

reports('recordsStartOnce', 'I1', 'a record whose instance is gone without a trace', (run) => {
  const life = run.instances.find(({ last }) => {
    const asks = run.sources.flatMap(({ uses }) => uses.starts).filter(({ key }) => key === last.key)
    return asks.length === 1 && asks[0]?.isCertain === true && last.origin.startsWith('record ')
  })
  if (life === undefined) return undefined
  return changelogOf(run, life.partition, (seen) => seen.filter((each) => keyOf(each) !== `i/${life.id}`))
})

reports('keysRunOnce', 'I1', 'two instances that run under one key', (run) => {
  const life = run.instances.find(({ last }) => last.status === 'EXECUTING')
  return life && retell(run, life, { id: `another-${life.partition}` })
})

reports('callsAnswered', 'I1', 'a call that nobody answered', (run) => {
  const [call] = run.calls
  return call && { ...run, calls: [{ ...call, answers: [] }] }
})

reports('answersAreTrue', 'I1', 'an answer that names an instance which never was', (run) => {
  const call = run.calls.find(({ answers }) => answers.some(({ answer }) => answer.outcome === 'started'))
  const [first] = call?.answers ?? []
  if (call === undefined || first === undefined) return undefined
  const answer = { outcome: 'started', instanceId: 'nobody-0', key: call.act.key } as const
  return { ...run, calls: [{ ...call, answers: [{ ...first, answer }] }] }
})

reports('callsStartOnce', 'I1', 'an instance of the API that nobody called for', (run) =>
  run.instances.some(({ last }) => last.origin === 'api') && !run.plan.strikes.some(({ what }) => what === 'day')
    ? { ...run, calls: [] }
    : undefined,
)

reports('instancesEndOnce', 'I2', 'an instance that goes on after its end', (run) => {
  const life = run.instances.find(ended)
  return life && retell(run, life, { status: 'EXECUTING' })
})

reports('versionsStay', 'I12', 'an instance that changes its version', (run) => {
  const life = run.instances.find(({ last }) => last.status === 'EXECUTING')
  const other = life && [...run.workflows.keys()].find((version) => version !== life.last.version)
  return life && other !== undefined ? retell(run, life, { version: other }) : undefined
})

reports('commandsOnce', 'I3', 'a command that was produced twice', (run) => {
  for (const topic of run.plan.programs.commandTopics) {
    const [first] = run.committed.history.all(topic)
    if (first !== undefined) return change(run, topic, first.partition, (seen) => [...seen, ...seen])
  }
  return undefined
})

reports('keysAreOnes', 'I4', 'two tasks with one idempotency key', (run) => {
  const [first] = run.journal
  return first && { ...run, journal: [first, { ...first, task: 'another' }] }
})

reports('attemptsCount', 'I4', 'a task that leaves out an attempt', (run) => {
  const life = run.instances.find(({ last }) => last.timelineDropped === 0 && last.tasks[0] !== undefined)
  return life && retell(run, life, { timeline: [...life.last.timeline, entry(life, { attempt: 9 })] })
})

reports('completionsReturned', 'I4', 'a completion that no handler returned', (run) => {
  const isCompleted = run.instances.some(({ last }) =>
    last.tasks.some(
      (task, index) =>
        task?.status === 'COMPLETED' && run.workflows.get(last.version)?.tasks[index]?.type === 'handler',
    ),
  )
  return isCompleted ? { ...run, journal: [] } : undefined
})

reports('storesFollow', 'I5', 'a value on a disk that is not the one in the changelog', (run) => {
  const image = run.images.find(({ entries }) => entries.length > 0)
  const [first, ...others] = image?.entries ?? []
  if (image === undefined || first === undefined) return undefined
  return { ...run, images: [{ ...image, entries: [{ ...first, value: Buffer.from('other') }, ...others] }] }
})

reports('positionsGrow', 'I6', 'a position that goes back', (run) => {
  const read = run.committed.changelogs.find((each) => each.positions().some(({ versions }) => versions.length > 1))
  const place = read
    ?.positions()
    .find(({ versions }) => (versions.at(-1)?.row?.offset ?? 0) > (versions[0]?.row?.offset ?? 0))
  if (read === undefined || place === undefined) return undefined
  const key = `p/${place.topic}/${place.source}`
  return write(run, read.partition, key, read.of(key)[0]?.value ?? null)
})

reports('removedStaysRemoved', 'I15', 'a kept record that comes back after it was removed', (run) => {
  const life = run.committed.lives('kept').find(({ isRemoved }) => isRemoved)
  return life && write(run, life.partition, `${prefixes.kept}${life.id}`, keptCodec.encode(life.last))
})

reports('noneOverdue', 'I7', 'a timer that never came', (run) =>
  write(run, 0, 't/forgotten', timerCodec.encode({ dueAtMs: 1, target: { kind: 'expire-kept', number: 0 } })),
)

reports('neverEarly', 'I7', 'a timer that came before its time', (run) => {
  const life = run.instances.find(({ last }) => last.status === 'EXECUTING' && last.tasks[0] !== undefined)
  const task = life?.last.tasks[0]
  if (life === undefined || task === undefined) return undefined
  const dueAtMs = life.last.startedAtMs + 3_600_000
  const open = { kind: 'time', dueAtMs, timer: 't' } as const
  const waiting = { ...task, status: 'EXECUTING', open } as const
  const waits = retell(run, life, { tasks: [waiting] })
  return retell(waits, life, {
    tasks: [{ ...waiting, status: 'COMPLETED', open: undefined }],
    timeline: [...life.last.timeline, entry(life, { atMs: dueAtMs - 1, attempt: task.attempt })],
  })
})

reports('takenOnce', 'I8', 'a record that two listeners took', (run) => {
  const [taking] = takingsOf(run.instances)
  if (taking === undefined) return undefined
  const { life } = taking
  return retell(run, life, { timeline: [...life.last.timeline, { ...taking.entry, atMs: taking.entry.atMs + 1 }] })
})

/** A waiter in a channel, and a record that fits it. */
function* meetings(run: Evidence) {
  for (const life of run.committed.lives('channels')) {
    for (const { row } of life.versions) {
      const waiter = row?.waiters[0]
      const source =
        waiter &&
        run.sources.find(({ record }) => record.topic === row?.topic && fits(run, waiter, life.last.value, record))
      if (row !== undefined && waiter !== undefined && source !== undefined)
        yield { life, row, waiter, record: source.record }
    }
  }
}

reports('nobodyWaitsBeside', 'I8', 'a listener that waits beside a record that is kept and fits', (run) => {
  for (const { life, row, waiter, record } of meetings(run)) {
    const kept: KeptRow = {
      ...{ number: 999, channel: life.id, record, timer: 't', bytes: 1 },
      ...{ arrivedAtMs: waiter.sinceMs, expiresAtMs: waiter.sinceMs + 1 },
    }
    const channel: ChannelRow = { ...row, kept: [{ number: 999, arrivedAtMs: waiter.sinceMs, bytes: 1 }] }
    const both = write(run, life.partition, `b/${keptId(999)}`, keptCodec.encode(kept))
    return write(both, life.partition, `c/${life.id}`, channelCodec.encode(channel))
  }
  return undefined
})

reports('longestWaitingFirst', 'I8', 'a record that passes over the longest waiting', (run) => {
  for (const { life, place, entry: taken } of takingsOf(run.instances)) {
    const record = run.sources.find(({ coordinates }) => coordinates === place)?.record
    const open = life.versions.findLast(({ row }) => row?.tasks[taken.task]?.open?.kind === 'record')?.row?.tasks[
      taken.task
    ]?.open
    if (record === undefined || open?.kind !== 'record') continue
    for (const channel of run.committed.lives('channels')) {
      const waiter = channel.versions
        .flatMap(({ row }) => row?.waiters ?? [])
        .find((each) => each.instanceId === life.id && each.number === open.number)
      if (waiter === undefined || !fits(run, waiter, channel.last.value, record)) continue
      const longer = { ...waiter, instanceId: 'longer-0', sinceMs: waiter.sinceMs - 1 }
      const tell = (from: Finished, waiters: ChannelRow['waiters']): Finished =>
        write(from, channel.partition, `c/${channel.id}`, channelCodec.encode({ ...channel.last, waiters, kept: [] }))
      return tell(tell(run, [longer, waiter]), [longer])
    }
  }
  return undefined
})

reports('neverAfterKeep', 'I8', 'a record that was taken after its time', (run) => {
  if (run.plan.strikes.some(({ what }) => what.startsWith('clock-'))) return undefined
  for (const taking of takingsOf(run.instances)) {
    const { life, place, wasKept } = taking
    const kept = wasKept
      ? run.committed.lives('kept').find(({ last }) => {
          const { topic, partition, offset } = last.record
          return `${topic}/${partition}@${offset}` === place && last.channel.startsWith(`${life.last.workflow}/`)
        })
      : undefined
    if (kept === undefined) continue
    return changelogOf(run, kept.partition, (seen) =>
      seen.map((each) =>
        keyOf(each) === `b/${kept.id}` && each.value !== null
          ? { ...each, value: keptCodec.encode({ ...kept.last, arrivedAtMs: 0 }) }
          : each,
      ),
    )
  }
  return undefined
})

reports('recordsAreAccountedFor', 'I6', 'a record that never reached the partition of its value', (run) => {
  const { inbox } = run.committed.topics
  const hop = run.committed.hops.find(({ command }) => command.type === 'channel.publish')
  return hop && change(run, inbox, hop.partition, (seen) => seen.filter(({ offset }) => offset !== hop.offset))
})

test('I8: a record that was sent to a waiter, and neither taken nor sent back (recordsAreAccountedFor)', () => {
  for (const run of runs) {
    const hop = run.committed.hops.find(({ command }) => command.type === 'instance.correlate')
    if (hop === undefined) continue
    const without = change(run, run.committed.topics.inbox, hop.partition, (seen) =>
      seen.filter(({ offset }) => offset !== hop.offset),
    )
    const found = [...checks.recordsAreAccountedFor(evidenceOf(without))]
    if (found.some((violation) => violation.startsWith('I8: '))) return
  }
  assert.fail('nothing was found in any run')
})

reports('orderIsKept', 'I9', 'records of one source that arrive in another order', (run) => {
  const { inbox } = run.committed.topics
  const ways = new Map<string, number>()
  for (const { partition, command } of run.committed.hops) {
    if (command.type !== 'channel.publish') continue
    const way = `${partition} ${command.record.topic}/${command.record.partition}`
    const first = ways.get(way) ?? command.record.offset
    if (first !== command.record.offset) return change(run, inbox, partition, (seen) => seen.toReversed())
    ways.set(way, first)
  }
  return undefined
})

reports('epochsGrow', 'I10', 'a writer whose epoch is older than the one before', (run) =>
  changelogOf(run, 0, (seen) => {
    const last = seen.at(-1)
    if (last?.writer === undefined) return seen
    return [...seen, { ...last, offset: last.offset + 2, writer: { ...last.writer, producerId: -2 } }]
  }),
)

reports('nothingAborted', 'I13', 'a record that was taken and never committed', (run) => {
  const [taking] = takingsOf(run.instances)
  const source = run.sources.find(({ coordinates }) => coordinates === taking?.place)
  if (source === undefined) return undefined
  return change(run, source.topic, source.seen.partition, (seen) => seen.filter((each) => each !== source.seen))
})

reports('poisonSetAside', 'I14', 'a poisoned record with no dead letter', (run) => {
  const poison = run.outside.produced.find(({ intent, isCommitted }) => intent === 'poison' && isCommitted)
  return poison && { ...run, outside: { produced: [{ ...poison, offset: poison.offset + 1_000_000 }] } }
})

reports('lettersHaveReasons', 'I14', 'a record that cannot be read and has two dead letters', (run) => {
  const unusable = new Set(
    run.sources.flatMap(({ uses, coordinates }) => (uses.unusable === undefined ? [] : [coordinates])),
  )
  const letter = run.committed.letters.find(({ source }) => unusable.has(source))
  return letter && change(run, run.committed.topics.deadLetter, letter.seen.partition, (seen) => [...seen, ...seen])
})

reports('allAtRest', 'I16', 'an instance that waits for nothing', (run) => {
  const [life] = run.instances
  return life && retell(run, life, { status: 'EXECUTING', incidents: 0, tasks: [] })
})

reports('waitersAreLive', 'I16', 'a waiter that nobody is', (run) => {
  for (const { life, row, waiter } of meetings(run)) {
    const channel: ChannelRow = { ...row, waiters: [{ ...waiter, instanceId: 'nobody-0' }] }
    return write(run, life.partition, `c/${life.id}`, channelCodec.encode(channel))
  }
  return undefined
})

reports('nothingUnread', 'I17', 'a source that was not read to its end', (run) => {
  const source = run.sources.findLast(({ taken, mayBeGone }) => taken !== undefined && !mayBeGone)
  if (source === undefined) return undefined
  const { partition, offset } = source.seen
  return change(run, source.topic, partition, (seen) => [...seen, { ...source.seen, offset: offset + 1_000_000 }])
})

reports('nothingOpen', 'I17', 'a transaction that is open', (run) => {
  const broker = { unfinishedTransactions: () => ['sim-0'] }
  return { ...run, world: Object.create(run.world, { broker: { value: broker } }) }
})

reports('groupStandsStill', 'I18', 'a partition whose owner does not run', (run) => ({ ...run, views: new Map() }))

test('I11: another value anywhere gives another hash of what was committed', () => {
  const [run] = runs
  assert.ok(run !== undefined)
  const { committed } = run
  assert.equal(hashOf(committed.history), hashOf(committed.history))
  const other = write(run, 0, 't/other', timerCodec.encode({ dueAtMs: 1, target: { kind: 'expire-kept', number: 0 } }))
  assert.notEqual(hashOf(other.committed.history), hashOf(committed.history))
})

test('every check has a case in which it reports', () => {
  assert.deepEqual([...doctors.keys()].sort(), Object.keys(checks).sort())
})
