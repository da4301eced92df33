// The directory of one worker under --data. Several workers of one machine may be started with the same --data: each
// takes the first that is free, and keeps its stores there. Held by LevelDB's own lock, which dies with the process.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { configError } from './faults.ts'

export interface WorkerDirectory {
  readonly directory: string
  /** What the worker of this directory is called in the group of an application; outlives the process. */
  memberMemory(app: string): { recall(): Promise<string | undefined>; note(memberId: string): Promise<void> }
  release(): Promise<void>
}

const workersMax = 64

/** @throws {ConfigError} DW_DATA_UNUSABLE, DW_DATA_IN_USE by too many */
export async function claimWorkerDirectory(data: string): Promise<WorkerDirectory> {
  for (let number = 1; number <= workersMax; number++) {
    const directory = join(data, `worker-${number}`)
    const lock = await tryLock(join(directory, 'lock'))
    if (lock !== undefined)
      return {
        directory,
        memberMemory: (app) => ({
          recall: () => lock.get(app),
          note: (memberId) => lock.put(app, memberId),
        }),
        release: () => lock.close(),
      }
  }
  throw configError(
    'DW_DATA_IN_USE',
    `${workersMax} workers use ${data} already: give this one a directory of its own with --data`,
  )
}

/** undefined: another process has it. */
async function tryLock(path: string): Promise<ClassicLevel | undefined> {
  try {
    await mkdir(path, { recursive: true })
    const lock = new ClassicLevel(path)
    await lock.open()
    return lock
  } catch (error) {
    if (
      error instanceof Error &&
      error.cause instanceof Error &&
      'code' in error.cause &&
      error.cause.code === 'LEVEL_LOCKED'
    )
      return undefined
    throw configError(
      'DW_DATA_UNUSABLE',
      `cannot use ${path}: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}
