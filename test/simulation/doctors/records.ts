// Runs doctored in what became of records: I6, I8, I9, I13, I14, I17.
import { keptId, type ChannelRow, type KeptRow } from '../../../src/engine/state.ts'
import { prefixes } from '../../../src/records/keys.ts'
import { channelCodec } from '../../../src/records/channel-codec.ts'
import { keptCodec } from '../../../src/records/row-codec.ts'
import { fateId } from '../checks/fates.ts'
import { doClocksAgree, hasEnded, type Evidence, type Finished } from '../checks/finished.ts'
import { fits, takingsOf } from '../checks/listeners.ts'
import { placeOf } from '../checks/logs.ts'
import { momentsOf } from '../checks/nodes.ts'
import { change, changelogOf, keyOf, retell, write, type Case } from './doctoring.ts'

export const recordCases = {
  takenOnce: {
    invariant: 'I8',
    title: 'a record that two listeners took',
    doctor: (run) => {
      const { life, entry: taken } = [...takingsOf(run)].find((each) => each.entry !== undefined) ?? {}
      if (life === undefined || taken === undefined) return undefined
      return retell(run, life, { timeline: [...life.last.timeline, { ...taken, atMs: taken.atMs + 1 }] })
    },
  },

  nobodyWaitsBeside: {
    invariant: 'I8',
    title: 'a listener that waits beside a record that is kept and fits',
    doctor: (run) => {
      for (const { life, row, waiter, record } of meetings(run)) {
        const kept: KeptRow = {
          ...{ number: 999, channel: life.id, record, timer: 't', onExpired: 'drop', bytes: 1 },
          ...{ arrivedAtMs: waiter.sinceMs, expiresAtMs: waiter.sinceMs + 1 },
        }
        const channel: ChannelRow = { ...row, kept: [{ number: 999, arrivedAtMs: waiter.sinceMs, bytes: 1 }] }
        const both = write(run, life.partition, `b/${keptId(999)}`, keptCodec.encode(kept))
        return write(both, life.partition, `c/${life.id}`, channelCodec.encode(channel))
      }
      return undefined
    },
  },

  longestWaitingFirst: {
    invariant: 'I8',
    title: 'a record that passes over the longest waiting',
    doctor: (run) => {
      if (!doClocksAgree(run.plan)) return undefined
      for (const { life, place, entry: taken, wasKept } of takingsOf(run)) {
        // It waited once, and was there first.
        const waits = life.last.timeline.filter(({ task, status }) => task === taken?.task && status === 'EXECUTING')
        if (waits.length !== 1 || wasKept) continue
        const record = run.sources.find(({ coordinates }) => coordinates === place)?.record
        const open = momentsOf(run, life)
          .map((moment) => (taken === undefined ? undefined : moment.is(taken.task)?.open))
          .findLast((each) => each?.kind === 'record')
        if (record === undefined || open?.kind !== 'record') continue
        for (const channel of run.committed.lives('channels')) {
          const waiter = channel.versions
            .flatMap(({ row }) => row?.waiters ?? [])
            .find((each) => each.instanceId === life.id && each.number === open.number)
          if (waiter === undefined || !fits(run, waiter, channel.last.value, record)) continue
          const longer = { ...waiter, instanceId: 'longer-0', sinceMs: waiter.sinceMs - 1 }
          const tell = (from: Finished, waiters: ChannelRow['waiters']): Finished =>
            write(
              from,
              channel.partition,
              `c/${channel.id}`,
              channelCodec.encode({ ...channel.last, waiters, crowd: undefined, kept: [] }),
            )
          return tell(tell(run, [longer, waiter]), [longer])
        }
      }
      return undefined
    },
  },

  neverAfterKeep: {
    invariant: 'I8',
    title: 'a record that was taken after its time',
    doctor: (run) => {
      if (run.plan.strikes.some(({ what }) => what.startsWith('clock-'))) return undefined
      for (const taking of takingsOf(run)) {
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
    },
  },

  recordsAreAccountedFor: {
    invariant: 'I6',
    title: 'a record that never reached the partition of its value',
    doctor: (run) => {
      const { inbox } = run.committed.topics
      const hop = run.committed.hops.find(({ command }) => command.type === 'channel.publish')
      return hop && change(run, inbox, hop.partition, (seen) => seen.filter(({ offset }) => offset !== hop.offset))
    },
  },

  orderIsKept: {
    invariant: 'I9',
    title: 'records of one source that arrive in another order',
    doctor: (run) => {
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
    },
  },

  nothingAborted: {
    invariant: 'I13',
    title: 'a record that was taken and never committed',
    doctor: (run) => {
      const [taking] = takingsOf(run)
      const source = run.sources.find(({ coordinates }) => coordinates === taking?.place)
      if (source === undefined) return undefined
      return change(run, source.topic, source.seen.partition, (seen) => seen.filter((each) => each !== source.seen))
    },
  },

  poisonSetAside: {
    invariant: 'I14',
    title: 'a poisoned record with no dead letter',
    doctor: (run) => {
      const poison = run.outside.produced.find(({ intent, isCommitted }) => intent === 'poison' && isCommitted)
      return poison && { ...run, outside: { produced: [{ ...poison, offset: poison.offset + 1_000_000 }] } }
    },
  },

  lettersHaveReasons: {
    invariant: 'I14',
    title: 'a record that cannot be read and has two dead letters',
    doctor: (run) => {
      const unusable = new Set(
        run.sources.flatMap(({ uses, coordinates }) => (uses.unusable === undefined ? [] : [coordinates])),
      )
      const letter = run.committed.letters.find(({ source }) => unusable.has(source))
      return letter && change(run, run.committed.topics.deadLetter, letter.seen.partition, (seen) => [...seen, ...seen])
    },
  },

  positionsGrow: {
    invariant: 'I6',
    title: 'a position that goes back',
    doctor: (run) => {
      const read = run.committed.changelogs.find((each) => each.positions().some(({ versions }) => versions.length > 1))
      const place = read
        ?.positions()
        .find(({ versions }) => (versions.at(-1)?.row?.offset ?? 0) > (versions[0]?.row?.offset ?? 0))
      if (read === undefined || place === undefined) return undefined
      const key = `p/${place.topic}/${place.source}`
      return write(run, read.partition, key, read.of(key)[0]?.value ?? null)
    },
  },

  nothingUnread: {
    invariant: 'I17',
    title: 'a source that was not read to its end',
    doctor: (run) => {
      const source = run.sources.findLast(({ taken, mayBeGone }) => taken !== undefined && !mayBeGone)
      if (source === undefined) return undefined
      const { partition, offset } = source.seen
      return change(run, source.topic, partition, (seen) => [...seen, { ...source.seen, offset: offset + 1_000_000 }])
    },
  },

  waitersAreLive: {
    invariant: 'I16',
    title: 'a waiter that nobody is',
    doctor: (run) => {
      for (const { life, row, waiter } of meetings(run)) {
        const channel: ChannelRow = { ...row, waiters: [{ ...waiter, instanceId: 'nobody-0' }], crowd: undefined }
        return write(run, life.partition, `c/${life.id}`, channelCodec.encode(channel))
      }
      return undefined
    },
  },

  takenAlong: {
    invariant: 'I8',
    title: 'a record that was kept for an instance and outlived it',
    doctor: (run) => {
      if (!doClocksAgree(run.plan)) return undefined
      const taken = new Set([...takingsOf(run)].map(({ place }) => place))
      for (const life of run.committed.lives('kept')) {
        if (taken.has(placeOf(life.last.record))) continue
        const gone = life.versions.find(({ row }) => row === undefined)
        const isTakenAlong = run.instances.some(
          ({ last, partition, versions }) =>
            partition === life.partition &&
            life.last.channel.startsWith(`${last.workflow}/`) &&
            life.last.arrivedAtMs > last.startedAtMs &&
            versions.some(({ row, batch }) => row !== undefined && hasEnded(row) && batch === gone?.batch),
        )
        if (isTakenAlong && gone !== undefined && (life.versions[0]?.batch ?? Infinity) < gone.batch)
          return changelogOf(run, life.partition, (seen) =>
            seen.filter((each) => keyOf(each) !== `${prefixes.kept}${life.id}` || each.value !== null),
          )
      }
      return undefined
    },
  },

  nobodyIsPassedBy: {
    invariant: 'I8',
    title: 'a listener that waits on after a record that fits it came by',
    doctor: (run) => {
      for (const { life, row, waiter, record } of meetings(run)) {
        const source = run.sources.find((each) => each.record === record)
        const isHere =
          source?.seen.partition !== undefined && source.seen.partition % run.plan.partitions === life.partition
        const fate = source && run.fates.get(fateId(row.workflow, row.value, source.coordinates))
        if (source === undefined || !isHere || (fate !== undefined && fate.takenBeside + fate.correlates.length > 0))
          continue
        const waits = channelCodec.encode({ ...row, waiters: [waiter], crowd: undefined })
        return changelogOf(run, life.partition, (seen) => {
          const [first] = seen
          const own = seen.filter((each) => keyOf(each) !== `${prefixes.channels}${life.id}`)
          return first === undefined
            ? seen
            : [
                {
                  ...first,
                  offset: first.offset - 2,
                  key: Buffer.from(`${prefixes.channels}${life.id}`),
                  value: waits,
                },
                ...own,
              ]
        })
      }
      return undefined
    },
  },
} satisfies { readonly [check: string]: Case }

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
