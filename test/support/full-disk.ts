// A disk that is full, or fails, for a daemon in any environment: loaded into it before its own code (`node --import`), it
// does what the file that FULL_DISK names says at the moment.
//   "reserve"      the volume has less room left than the log keeps in reserve
//   "full"         the volume has none, and every write of LevelDB fails as LevelDB reports it
//   "write-error"  every write of LevelDB fails
//   "read-error"   every read of LevelDB fails
// Anything else, or no file: the disk is as it is.
import { readFileSync } from 'node:fs'
import fileSystem from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { ClassicLevel } from 'classic-level'

const statfs = fileSystem.statfs
interface Chained {
  write(options: object): Promise<void>
}
type Method = (this: unknown, ...given: unknown[]) => unknown
const { batch, getSync, iterator } = ClassicLevel.prototype as unknown as {
  batch: (this: unknown, ...given: unknown[]) => Chained
  getSync: Method
  iterator: Method
}

function state(): string {
  try {
    return readFileSync(process.env['FULL_DISK'] ?? '', 'utf8')
  } catch {
    return ''
  }
}

/** As classic-level gives what LevelDB says. */
function ioError(text: string): Error {
  return Object.assign(new Error(`IO error: ${text}`), { code: 'LEVEL_IO_ERROR' })
}

Object.assign(fileSystem, {
  statfs: async (path: string) => {
    const { bsize, bavail } = await statfs(path)
    const isFull = ['reserve', 'full'].includes(state())
    return { bsize, bavail: isFull ? 0 : bavail }
  },
})
syncBuiltinESMExports()

const readOrFail = (method: Method): Method =>
  function (this: unknown, ...given) {
    if (state() === 'read-error') throw ioError('000005.ldb: Input/output error')
    return method.apply(this, given)
  }

Object.assign(ClassicLevel.prototype, {
  getSync: readOrFail(getSync),
  iterator: readOrFail(iterator),
  batch(this: unknown, ...given: unknown[]) {
    const chained = batch.apply(this, given)
    if (given.length > 0) return chained
    const write = chained.write.bind(chained)
    chained.write = async (options) => {
      if (state() === 'full') throw ioError('000003.log: No space left on device')
      if (state() === 'write-error') throw ioError('000003.log: Input/output error')
      return write(options)
    }
    return chained
  },
})
