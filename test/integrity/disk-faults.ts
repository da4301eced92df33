// What goes wrong with a disk under a running daemon, and how it is made so. What the kernel can be brought to do is done
// by it: a volume that is filled, a limit on the size of files, a directory that is moved away. The rest, and all of it
// where this process may not mount, is done below LevelDB (support/full-disk.ts).
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Daemon, Site } from '../support/daemon.ts'

export interface DiskFault {
  readonly name: string
  /** What health has to say of it. */
  readonly says: RegExp
  begin(daemon: Daemon): void
  end(daemon: Daemon): void
}

const mebibyte = 1_048_576
/** Of tmpfs, in memory: what the campaign writes, and more than the log's reserve of 64 MiB. */
const volumeBytes = 512 * mebibyte

/** Made below LevelDB, in every environment. The site's daemons have to be started after this. */
export function simulated(site: Site): readonly DiskFault[] {
  const flag = join(site.directory, 'disk')
  Object.assign(site.env, {
    FULL_DISK: flag,
    NODE_OPTIONS: `--import ${new URL('../support/full-disk.ts', import.meta.url).href}`,
  })
  const fault = (state: string, says: RegExp): DiskFault => ({
    name: `simulated ${state}`,
    says,
    begin: () => writeFileSync(flag, state),
    end: () => rmSync(flag),
  })
  return [
    fault('reserve', /^disk full: .* until there is room/),
    fault('full', /^disk full: /),
    fault('write-error', /cannot be written .*Input\/output error/),
    fault('read-error', /cannot be read .*Input\/output error/),
  ]
}

/** A limit on the size of files: writes beyond it are cut short, and fail with EFBIG. Of the daemon alone. */
export function fileSizes(): readonly DiskFault[] {
  const limit = (bytes: number): DiskFault => ({
    name: `files of ${bytes} bytes at most`,
    says: /cannot be written .*File too large/,
    begin: ({ pid }) => setLimit(pid, `${bytes}`),
    end: ({ pid }) => setLimit(pid, 'unlimited'),
  })
  return [0, 4_096, 65_536].map(limit)
}

function setLimit(pid: number, bytes: string): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`])
}

/** The directory is not where it was; it comes back. */
export function moved(data: string): DiskFault {
  return {
    name: 'directory moved away',
    says: /cannot be written .*(?:gone|no such file)/i,
    begin: () => renameSync(data, `${data}-elsewhere`),
    end: () => renameSync(`${data}-elsewhere`, data),
  }
}

export interface Volume {
  readonly directory: string
  readonly faults: readonly DiskFault[]
  fill(bytesLeft: number): void
  free(): void
  setReadOnly(isReadOnly: boolean): void
  remove(): void
}

/** A volume of its own. undefined: this process may not mount, or there is no tmpfs here. */
export function mounted(): Volume | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'dw-volume-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${volumeBytes}`, 'tmpfs', directory], { stdio: 'ignore' })
  } catch {
    rmdirSync(directory)
    return undefined
  }
  const ballast = join(directory, 'ballast')
  const fill = (bytesLeft: number): void => {
    const { bavail, bsize } = statfsSync(directory)
    try {
      writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - bytesLeft)))
    } catch (error) {
      // The daemon was faster: then it is full already.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
    }
  }
  const free = (): void => rmSync(ballast)
  const leave = (bytes: number): DiskFault => ({
    name: `a volume with ${bytes} bytes left`,
    says: /^disk full: /,
    begin: () => fill(bytes),
    end: free,
  })
  return {
    directory,
    faults: [leave(40 * mebibyte), leave(256 * 1_024), leave(16 * 1_024), leave(0)],
    fill,
    free,
    setReadOnly: (isReadOnly) =>
      void execFileSync('mount', ['-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, directory], { stdio: 'ignore' }),
    remove() {
      execFileSync('umount', ['--lazy', directory])
      rmdirSync(directory)
    },
  }
}

/** A directory for data, made in a place. */
export function dataIn(place: string): string {
  mkdirSync(place, { recursive: true })
  return join(place, 'data')
}
