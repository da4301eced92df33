// How far the log is known to be on the disk: the number of the last link whose group was synced, in a file beside the
// database. LevelDB takes a damaged end of its write-ahead file, or a lost one, for a write that a crash cut short, and opens
// without it; held against this, an end that is missing is told from one that nobody was promised.
//
//   K1. Written once the group is synced and before anyone is told, so it is never ahead of the log and, while only the
//       process dies, never behind it.
//   K2. Two slots take turns, in pages of their own: damage to one leaves the other, which claims a group less.
//
// It is synced when the log is opened and closed, not in between, where it would double the price of a group. So after a
// power failure it may be behind by what the system had not written yet (some 30 s on Linux), and damage done before the
// next open, to that part of the log alone, looks like the power failure itself. A file cut at the border of a group is no
// different: it is what an earlier crash would have left. Without the file, as from an earlier release, nothing is claimed.
//
//   slot   version(1) number(6) crc(4)
import { closeSync, constants, existsSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { StoreCorrupted } from '../../base/errors.ts'

const formatVersion = 1
const slotBytes = 11
const checkedBytes = 7
/** A page, which is what disks and file systems lose at a time. */
const slotDistance = 4_096

export class Checkpoint {
  readonly #path: string
  /** Made with the first link: before that, the directory may turn out to be somebody else's. */
  #file: number | undefined
  #number = -1
  #turn = 0

  /** Opens the checkpoint of the log in a directory, which nobody else has open. @throws {StoreCorrupted} Neither slot is whole. @throws the file system's error */
  constructor(directory: string) {
    this.#path = join(directory, 'checkpoint')
    if (!existsSync(this.#path)) return
    this.#file = openSync(this.#path, constants.O_RDWR)
    const content = Buffer.alloc(slotDistance + slotBytes)
    readSync(this.#file, content, 0, content.length, 0)
    const [first, second] = [numberIn(content), numberIn(content.subarray(slotDistance))]
    this.#number = Math.max(first, second)
    this.#turn = first > second ? 1 : 0
    // Nothing but zeros: a power failure came before what was written first.
    if (this.#number < 0 && content.some((byte) => byte !== 0)) {
      closeSync(this.#file)
      throw new StoreCorrupted('its checkpoint is damaged')
    }
  }

  /** The last link that has to be there; -1 where none has. */
  get number(): number {
    return this.#number
  }

  /** Moves on to a link whose group is synced. */
  advance(number: number): void {
    const slot = Buffer.allocUnsafe(slotBytes)
    slot[0] = formatVersion
    slot.writeUIntBE(number, 1, 6)
    slot.writeUInt32LE(crc32(slot.subarray(0, checkedBytes)), checkedBytes)
    try {
      this.#file ??= openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o644)
      writeSync(this.#file, slot, 0, slotBytes, this.#turn * slotDistance)
    } catch {
      return // what is there claims less, and is still true
    }
    this.#turn = 1 - this.#turn
    this.#number = number
  }

  /** Makes it outlive a power failure too. */
  sync(): void {
    try {
      if (this.#file !== undefined) fsyncSync(this.#file)
    } catch {
      // As above: the disk may keep an older one.
    }
  }

  /** Closing it again does nothing. */
  close(): void {
    if (this.#file === undefined) return
    this.sync()
    closeSync(this.#file)
    this.#file = undefined
  }
}

/** The number in a slot; -1 where there is none, or it is damaged. */
function numberIn(slot: Buffer): number {
  const isWhole = slot[0] === formatVersion && slot.readUInt32LE(checkedBytes) === crc32(slot.subarray(0, checkedBytes))
  return isWhole ? slot.readUIntBE(1, 6) : -1
}
