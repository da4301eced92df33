// Disks for the data of a daemon that fill up when they are told to: where this process may mount a volume of its own, a
// real one; everywhere, one that is simulated below LevelDB (full-disk.ts).
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Site } from './daemon.ts'

export interface Disk {
  readonly data: string
  readonly env: { readonly [name: string]: string }
  /** Less than the log's reserve of 64 MiB is left, or nothing at all. */
  fill(how: 'reserve' | 'full'): void
  free(): void
}

export function simulatedDisk(site: Site): Disk {
  const { directory } = site
  const flag = join(directory, 'flag')
  const preload = new URL('../support/full-disk.ts', import.meta.url).href
  return {
    data: join(directory, 'data'),
    env: { FULL_DISK: flag, NODE_OPTIONS: `--import ${preload}` },
    fill: (how) => writeFileSync(flag, how),
    free: () => rmSync(flag),
  }
}

export const mebibyte = 1_048_576

/** A volume of its own, gone after the test's daemon. undefined: this process may not mount, or there is no tmpfs here. */
export function mountedDisk(t: TestContext): Disk | undefined {
  const volume = mkdtempSync(join(tmpdir(), 'dw-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m', 'tmpfs', volume], { stdio: 'ignore' })
  } catch {
    rmdirSync(volume)
    return undefined
  }
  t.after(() => {
    execFileSync('umount', ['--lazy', volume])
    rmdirSync(volume)
  })
  const ballast = join(volume, 'ballast')
  return {
    data: join(volume, 'data'),
    env: {},
    fill(how) {
      const { bavail, bsize } = statfsSync(volume)
      const left = how === 'full' ? 0 : 40 * mebibyte
      writeFileSync(ballast, Buffer.alloc(bavail * bsize - left), { flag: 'a' })
    },
    free: () => rmSync(ballast),
  }
}
