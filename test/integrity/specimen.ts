// A database made for being broken: grown batch by batch through the real adapter, with everything that was written kept
// beside it, so that whatever opens a broken copy can be held against the truth.
import {
  copyFileSync,
  existsSync,
  globSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { ClassicLevel } from 'classic-level'

/** One kind of database, and what is known of the one that is open. */
export interface Subject {
  readonly name: string
  /** How many batches were written. */
  readonly batches: number
  open(directory: string): Promise<void>
  write(): Promise<void>
  close(): Promise<void>
  /** Opens a copy, holds all of it against the truth and closes it again; gives how many batches it holds. Throws where it is wrong. */
  read(directory: string): Promise<number>
  /** Opens a copy that holds so many batches, writes to it, opens it again and finds it all there. */
  goOn(directory: string, batches: number): Promise<void>
  /** True for an error that says what to do: restore it, or ask a person. */
  isRefusal(error: unknown): boolean
  /** True where it may open with fewer batches than were written, and tell so: what it copies is elsewhere. */
  readonly mayGoBack: boolean
}

/** So many batches; or until so much is in the write-ahead file; or all of it into tables, by opening it again or by a compaction. */
export type Step = number | { readonly writeAheadBytes: number } | 'reopen' | 'compact'

export interface Specimen {
  readonly name: string
  readonly subject: Subject
  /** Its files; nobody has them open. */
  readonly directory: string
  /** Bytes of its write-ahead file after each batch that is in there. */
  readonly ends: ReadonlyMap<number, number>
}

export type Finding =
  | { readonly kind: 'opened'; readonly batches: number }
  | { readonly kind: 'refused' }
  | { readonly kind: 'wrong'; readonly why: string }

/** What LevelDB keeps for people and for itself only. */
const incidental = /^(LOCK|LOG|LOG\.old)$/
/** Far above what any open takes. */
const hungMs = 20_000
const lanes = 4

/** A directory of its own, in memory where there is such: a sync costs nothing there. */
export function scratchDirectory(): { directory: string; remove: () => void } {
  const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  const directory = mkdtempSync(join(base, 'dw-broken-'))
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

/** Grows a database in `directory`; `isKilled` takes the files as they are while it is open. */
export async function grow(
  subject: Subject,
  steps: readonly Step[],
  { directory, name, isKilled = false }: { directory: string; name: string; isKilled?: boolean },
  onBatch: (live: string) => void = () => {},
): Promise<Specimen> {
  const live = join(directory, 'live')
  const ends = new Map<number, number>()
  await subject.open(live)
  for (const step of steps) {
    if (typeof step === 'string') {
      await subject.close()
      if (step === 'compact') await compact(live)
      await subject.open(live)
      ends.clear()
      continue
    }
    const [batches, bytes] = typeof step === 'number' ? [step, 0] : [0, step.writeAheadBytes]
    for (let written = 0, end = 0; written < batches || end < bytes; written++) {
      await subject.write()
      end = statSync(join(live, writeAheadFile(live))).size
      ends.set(subject.batches, end)
      onBatch(live)
    }
  }
  const grown = join(directory, 'grown')
  if (!isKilled) await subject.close()
  mkdirSync(grown)
  for (const file of filesOf(live)) copyFileSync(join(live, file), join(grown, file))
  if (isKilled) await subject.close()
  rmSync(live, { recursive: true })
  return { name: `${subject.name}, ${name}${isKilled ? ', killed' : ''}`, subject, directory: grown, ends }
}

/** The names of the files that matter, sorted. */
export function filesOf(directory: string): string[] {
  const names = globSync('*', { cwd: directory }).map((path) => basename(path))
  return names.filter((name) => !incidental.test(name)).sort()
}

/** The newest one. */
export function writeAheadFile(directory: string): string {
  return filesOf(directory).findLast((name) => name.endsWith('.log'))!
}

/** Hands over a copy of the files, which share what LevelDB never writes in place, and removes it. */
export async function withCopy<Result>(
  { directory }: Specimen,
  use: (copy: string) => Promise<Result> | Result,
): Promise<Result> {
  const copy = mkdtempSync(`${directory}-`)
  try {
    for (const name of filesOf(directory)) {
      const [from, to] = [join(directory, name), join(copy, name)]
      if (name === 'checkpoint') copyFileSync(from, to)
      else linkSync(from, to)
    }
    return await use(copy)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** Opens a broken copy and says what came of it. */
export async function examine({ subject }: Specimen, copy: string): Promise<Finding> {
  try {
    return { kind: 'opened', batches: await orHang(subject.read(copy)) }
  } catch (error) {
    return subject.isRefusal(error) ? { kind: 'refused' } : { kind: 'wrong', why: String(error) }
  }
}

/** What is wrong with a finding in a copy that is broken somewhere; undefined where it is as it may be. */
export function judge({ subject }: Specimen, finding: Finding): string | undefined {
  switch (finding.kind) {
    case 'refused':
      return undefined
    case 'wrong':
      return finding.why
    case 'opened':
      if (finding.batches === subject.batches || subject.mayGoBack) return undefined
      return `it opened with ${finding.batches} batches of ${subject.batches}`
  }
}

/** Writes to a copy that was opened before; what is wrong then, if anything. */
export async function tryToGoOn({ subject }: Specimen, copy: string, batches: number): Promise<string | undefined> {
  try {
    await orHang(subject.goOn(copy, batches))
    return undefined
  } catch (error) {
    return String(error)
  }
}

async function orHang<Result>(work: Promise<Result>): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`it hung for ${hungMs} ms`)), hungMs)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

async function compact(directory: string): Promise<void> {
  const level = new ClassicLevel<Buffer, Buffer>(directory, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
  await level.open()
  await level.compactRange(Buffer.of(0), Buffer.alloc(16, 0xff))
  await level.close()
}

/** Runs cases, a few at a time: most of one is waiting for threads. */
export async function inParallel<Case>(cases: Iterable<Case>, run: (one: Case) => Promise<void>): Promise<void> {
  const waiting = cases[Symbol.iterator]()
  const lane = async (): Promise<void> => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) await run(next.value)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** Puts other content, or none at all, in the place of a file, of which the original must not see. */
export function replaceFile(directory: string, name: string, content: Uint8Array | undefined): void {
  rmSync(join(directory, name), { force: true })
  if (content !== undefined) writeFileSync(join(directory, name), content)
}
