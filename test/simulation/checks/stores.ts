// I5, I6, I15: stores, positions, and what was removed.
//
// A store is what the changelog says up to the position in it, whoever wrote it: owner, standby, a machine that is off.
// Nothing but its process writes to it, so looking at it when the next one starts is looking at it at the crash.
import { StoreCorrupted } from '../../../src/base/errors.ts'
import { prefixes } from '../../../src/records/keys.ts'
import type { InputPosition } from '../../../src/records/row-codec.ts'
import type { ChangelogPosition, StoreEntry } from '../../../src/runtime/ports.ts'
import type { World } from '../world.ts'
import type { Finished } from './finished.ts'

/** A store as it was at some moment. */
export interface DiskImage {
  readonly machine: string
  readonly partition: number
  readonly atMs: number
  readonly position: ChangelogPosition
  readonly entries: readonly StoreEntry[]
}

/** The stores on a machine's disk, but those that cannot be read. */
export function imagesOf(world: World, machine: string, partitions: number): readonly DiskImage[] {
  const disk = world.disk(machine)
  const atMs = world.scheduler.clock.nowMs()
  const images: DiskImage[] = []
  for (let partition = 0; partition < partitions; partition++) {
    const position = disk.position(partition)
    if (position === undefined) continue
    try {
      images.push({ machine, partition, atMs, position, entries: disk.dump(partition) })
    } catch (error) {
      if (!(error instanceof StoreCorrupted)) throw error
    }
  }
  return images
}

/** I5: every store equals the changelog folded up to the position in it. */
export function* storesFollow({ committed, images }: Finished): Generator<string> {
  for (const { machine, partition, atMs, position, entries } of images) {
    const changelog = committed.changelogs[partition]
    if (changelog === undefined) continue
    const where = `${machine} partition ${partition} at ${atMs}, position ${position.offset}`
    const fold = changelog.foldAt(position.offset)
    let found = 0
    for (const { key, value } of entries) {
      const expected = fold.get(key)
      if (expected === undefined) yield `I5: ${where}: ${key} is stored, and the changelog does not have it`
      else if (expected !== value && Buffer.compare(expected, value) !== 0)
        yield `I5: ${where}: ${key} differs from the changelog`
      if (expected !== undefined) found += 1
    }
    if (found === fold.size) continue
    const stored = new Set(entries.map(({ key }) => key))
    for (const key of fold.keys()) if (!stored.has(key)) yield `I5: ${where}: ${key} is not stored`
  }
}

/** I6: a source partition is read by its owner alone, and its position never goes back. */
export function* positionsGrow({ plan, committed }: Finished): Generator<string> {
  for (const changelog of committed.changelogs) {
    for (const { topic, source, versions } of changelog.positions()) {
      const place = `${topic}/${source}`
      const owner = source % plan.partitions
      if (owner !== changelog.partition)
        yield `I6: partition ${changelog.partition} reads ${place}, which ${owner} owns`
      let before: InputPosition | undefined
      for (const { row, atMs } of versions) {
        if (row === undefined) yield `I6: the position in ${place} was removed at ${atMs}`
        else if (before?.topicId === row.topicId && row.offset < before.offset)
          yield `I6: the position in ${place} went back from ${before.offset} to ${row.offset} at ${atMs}`
        before = row
      }
    }
  }
}

/** Tables whose keys are never given again. */
const once = [prefixes.instances, prefixes.kept]

/** I15: what was removed stays removed. */
export function* removedStaysRemoved({ committed }: Finished): Generator<string> {
  for (const changelog of committed.changelogs) {
    for (const key of changelog.strays()) yield `I15: ${key} was removed and never written`
    for (const key of changelog.keys()) {
      if (!once.some((prefix) => key.startsWith(prefix))) continue
      const records = changelog.of(key)
      const removed = records.findIndex(({ value }) => value === null)
      const next = removed === -1 ? undefined : records[removed + 1]
      if (next !== undefined) yield `I15: ${key} was removed and is back at ${next.atMs}`
    }
    for (const { id, versions } of changelog.lives('keys')) {
      for (const [index, { row }] of versions.entries()) {
        if (index < 2 || row === undefined || versions[index - 1]?.row !== undefined) continue
        if (versions[index - 2]?.row?.instanceId === row.instanceId)
          yield `I15: key ${id} names ${row.instanceId} again after it was removed`
      }
    }
  }
}
