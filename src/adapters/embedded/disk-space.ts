// Keeps a reserve on the volume: while less than that is free, plain producing is refused and the engine's transactions,
// which finish what was begun, still pass. Asked as bytes are written, and again whenever somebody wants to know.
import { statfs } from 'node:fs/promises'
import type { Logger } from '../../base/logger.ts'

/** Bytes free on the volume of a directory. */
export type FreeBytes = (directory: string) => Promise<number>

export const freeBytesOnVolume: FreeBytes = async (directory) => {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

const reserveBytes = 64 * 1_048_576
/** A sixteenth of the reserve: it cannot be used up between two looks. */
const lookAfterBytes = reserveBytes / 16

export class DiskSpace {
  readonly #directory: string
  readonly #freeBytes: FreeBytes
  readonly #logger: Logger
  #bytesUnchecked = 0
  #looking: Promise<void> | undefined
  #isLow = false

  constructor(directory: string, freeBytes: FreeBytes, logger: Logger) {
    this.#directory = directory
    this.#freeBytes = freeBytes
    this.#logger = logger
  }

  /** What is wrong, in a sentence; undefined when there is room. Looks again where there was none. */
  get problem(): string | undefined {
    if (!this.#isLow) return undefined
    void this.look()
    return (
      `disk full: less than ${reserveBytes / 1_048_576} MiB are free for ${this.#directory}; ` +
      'producing is refused until there is room, running instances go on'
    )
  }

  get isLow(): boolean {
    return this.#isLow
  }

  /** Counts bytes written, and looks when they are many. */
  count(bytes: number): void {
    this.#bytesUnchecked += bytes
    if (this.#bytesUnchecked >= lookAfterBytes) void this.look()
  }

  /** Asks the volume; those who ask at the same time share the answer. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
    return this.#looking
  }

  async #look(): Promise<void> {
    this.#bytesUnchecked = 0
    try {
      const freeBytes = await this.#freeBytes(this.#directory)
      const isLow = freeBytes < reserveBytes
      if (isLow !== this.#isLow) {
        this.#logger.warn({ freeBytes, reserveBytes }, isLow ? 'the disk is nearly full' : 'the disk has room again')
      }
      this.#isLow = isLow
    } catch (error) {
      // A volume that cannot be asked is used until a write fails.
      this.#logger.debug({ error }, 'the free space of the disk is not known')
      this.#isLow = false
    } finally {
      this.#looking = undefined
    }
  }
}
