// Mistakes in bringing a store up to the changelog, by an owner or by a standby, and in what a restored partition does
// before it runs.
import type { Plant } from '../plant.ts'

const restore = 'src/runtime/restore.ts'
const partition = 'src/runtime/partition.ts'
const standby = 'src/runtime/standby.ts'

export const restorePlants: readonly Plant[] = [
  {
    name: 'empty-fetch-is-the-end',
    trap: 'KAFKA-10167: the restore ends before the last commit, when a fetch brings nothing',
    file: restore,
    find: 'if (!(await applyNext(reader, store, info.id, clock)) && reader.position < end) await inTime(ready, clock) // P7',
    replace: 'if (!(await applyNext(reader, store, info.id, clock))) break',
  },
  {
    name: 'position-of-the-end',
    trap: 'KAFKA-16017: a restore that is cut short writes the end of the changelog as its position',
    file: restore,
    find: `  } finally {
    reader.close()
  }
  return info.id`,
    replace: `  } finally {
    reader.close()
    await store.apply([], { topicId: info.id, offset: end, currentAtMs: beganMs })
  }
  return info.id`,
  },
  {
    name: 'removals-not-restored',
    trap: 'KAFKA-19943: a restore passes tombstones over, and what was deleted is back',
    file: restore,
    find: 'if (record.key !== null) changes.push({ key: decoder.decode(record.key), value: record.value })',
    replace:
      'if (record.key !== null && record.value !== null) changes.push({ key: decoder.decode(record.key), value: record.value })',
  },
  {
    name: 'standby-not-awaited',
    trap: 'KAFKA-9891: a standby is promoted while a write of it is under way, which then lands on those of the owner',
    file: standby,
    find: '      await this.#finished\n    } finally {',
    replace: '      void this.#finished.catch(() => {})\n    } finally {',
  },
  {
    name: 'standby-not-closed',
    trap: 'I19: the reader of a standby is left open each time its partition moves',
    file: standby,
    find: `    } finally {
      this.#reader.close()
    }`,
    replace: `    } finally {
      this.#isStopped = true
    }`,
  },
  {
    name: 'cache-before-restore',
    trap: 'The rows in memory are filled before the restore, and what it brings is taken for absent',
    file: partition,
    find: `      onProgress: (progress) => (this.restoring = progress),
    })
    await this.#rows.fill()`,
    replace: `      onProgress: (progress) => {
        if (this.restoring === undefined) void this.#rows.fill()
        this.restoring = progress
      },
    })`,
  },
  {
    name: 'timers-not-loaded',
    trap: 'I7: timers of a partition that moved are not loaded: they are lost',
    file: 'src/runtime/timers.ts',
    find: '#horizon: string | undefined = prefixes.timers',
    replace: '#horizon: string | undefined = undefined',
  },
  {
    name: 'owed-work-forgotten',
    trap: 'Handler tasks of a partition that moved are not asked for again',
    file: partition,
    find: '    await askAgain(this.#options, this.#rows)\n',
    replace: '    void askAgain\n',
  },
]
