// A disk that is full, for a daemon in any environment: loaded into it before its own code (`node --import`), it does what
// the file that FULL_DISK names says at the moment.
//   "reserve"  the volume has less room left than the log keeps in reserve
//   "full"     the volume has none, and every write of LevelDB fails as LevelDB reports it
// Anything else, or no file: the disk is as it is.
import { readFileSync } from 'node:fs'
import fileSystem from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { ClassicLevel } from 'classic-level'

const statfs = fileSystem.statfs
interface Chained {
  write(options: object): Promise<void>
}
const { batch } = ClassicLevel.prototype as unknown as { batch: (this: unknown, ...given: unknown[]) => Chained }

function state(): string {
  try {
    return readFileSync(process.env['FULL_DISK'] ?? '', 'utf8')
  } catch {
    return ''
  }
}

Object.assign(fileSystem, {
  statfs: async (path: string) => {
    const { bsize, bavail } = await statfs(path)
    return { bsize, bavail: state() === '' ? bavail : 0 }
  },
})
syncBuiltinESMExports()

Object.assign(ClassicLevel.prototype, {
  batch(this: unknown, ...given: unknown[]) {
    const chained = batch.apply(this, given)
    if (given.length > 0) return chained
    const write = chained.write.bind(chained)
    chained.write = async (options) => {
      if (state() === 'full') throw new Error('IO error: 000003.log: No space left on device')
      return write(options)
    }
    return chained
  },
})
