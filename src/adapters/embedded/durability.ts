// Where what was committed lies: in the files of the log, on this machine's disk alone.
import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Durability } from '../../runtime/face.ts'

/** @param directory of the log; what is being removed meanwhile is not counted */
export async function diskDurability(directory: string): Promise<Durability> {
  const names = await readdir(directory).catch(() => [])
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return { kind: 'this-disk', directory: resolve(directory), bytes: sizes.reduce((sum, size) => sum + size, 0) }
}
