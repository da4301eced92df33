// Directories that are somebody else's where a worker is pointed at: each is refused with its code, and nothing in it is
// changed. Then stores that are too old for their changelog (old-stores.ts).
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import * as embedded from '../../src/adapters/embedded/codec.ts'
import { openEmbeddedLog } from '../../src/adapters/embedded/log.ts'
import * as level from '../../src/adapters/level/layout.ts'
import { openLevelStore } from '../../src/adapters/level/store.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { ConfigError } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { CampaignOptions, CampaignResult } from './campaign.ts'
import { oldStores } from './old-stores.ts'

export interface StrangersOptions extends CampaignOptions {
  /** Returns of old stores. */
  readonly rounds?: number
  readonly seed?: number
}

interface Stranger {
  readonly name: string
  readonly code: string
  /** What is in the directory. */
  lay(directory: string): Promise<void>
  /** The application `shop` takes it for its own. */
  open(directory: string): Promise<{ close(): Promise<void> }>
}

type Identity = { readonly [member: string]: unknown }

/** Of the application `shop` where none is named. */
const openLog = (directory: string, app = 'shop') =>
  openEmbeddedLog({ directory, app, clock: systemClock, logger: silentLogger })
const openStore = (directory: string, app = 'shop', partition = 3) => openLevelStore({ directory, app, partition })

const someLog = async (directory: string, app: string): Promise<void> => {
  const log = await openLog(directory, app)
  await log.createTopics([{ name: 'orders', partitions: 2, cleanup: 'retained' }])
  await log.produce([{ topic: 'orders', key: Buffer.from('o-1'), value: Buffer.from('{}') }])
  await log.close()
}

const someStore = async (directory: string, app: string, partition: number): Promise<void> => {
  const store = await openStore(directory, app, partition)
  await store.apply([{ key: 'i/1', value: Buffer.from('{}') }], { topicId: 'T', offset: 1 })
  await store.close()
}

/** Another format than any that there is, in what is otherwise our own. */
const withFormat =
  (format: unknown, make: (directory: string) => Promise<void>, entry: ReturnType<typeof level.jsonEntry<Identity>>) =>
  async (directory: string): Promise<void> => {
    await make(directory)
    const raw = await openRaw(directory)
    const key = level.identityKey
    await raw.put(key, entry.encode(key, { ...entry.decode(key, (await raw.get(key))!), format }))
    await raw.close()
  }

const somebodysFiles = async (directory: string): Promise<void> => {
  mkdirSync(join(directory, 'photos'))
  for (const name of ['notes.txt', 'LOG', '7.dbtmp', 'photos/1.jpg']) writeFileSync(join(directory, name), name)
}

const somebodysDatabase = async (directory: string): Promise<void> => {
  const raw = await openRaw(directory)
  await raw.put(Buffer.from('bookmark-1'), Buffer.from('https://example.org'))
  await raw.close()
}

const logOf = (app: string) => (directory: string) => someLog(directory, app)
const storeOf = (app: string, partition: number) => (directory: string) => someStore(directory, app, partition)
const logFormat = (format: unknown) => withFormat(format, logOf('shop'), embedded.jsonEntry<Identity>())
const storeFormat = (format: unknown) => withFormat(format, storeOf('shop', 3), level.jsonEntry<Identity>())

const strangers: readonly Stranger[] = [
  { name: 'log of another application', code: 'DW_DATA_OF_ANOTHER_APP', lay: logOf('other'), open: openLog },
  { name: 'log of a newer release', code: 'DW_DATA_NEWER', lay: logFormat(2), open: openLog },
  { name: 'log of a format that never was', code: 'DW_DATA_CORRUPTED', lay: logFormat(0), open: openLog },
  { name: 'log of no format', code: 'DW_DATA_CORRUPTED', lay: logFormat(undefined), open: openLog },
  { name: 'store in the place of the log', code: 'DW_DATA_OF_ANOTHER_APP', lay: storeOf('shop', 3), open: openLog },
  { name: 'files in the place of the log', code: 'DW_DATA_UNUSABLE', lay: somebodysFiles, open: openLog },
  { name: 'database in the place of the log', code: 'DW_DATA_UNUSABLE', lay: somebodysDatabase, open: openLog },
  { name: 'store of another application', code: 'DW_STORE_OF_ANOTHER', lay: storeOf('other', 3), open: openStore },
  { name: 'store of another partition', code: 'DW_STORE_OF_ANOTHER', lay: storeOf('shop', 4), open: openStore },
  { name: 'store of a newer release', code: 'DW_STORE_OF_ANOTHER', lay: storeFormat(2), open: openStore },
  { name: 'store of a format that never was', code: 'DW_STORE_OF_ANOTHER', lay: storeFormat(0), open: openStore },
  { name: 'store of no format', code: 'DW_STORE_OF_ANOTHER', lay: storeFormat(undefined), open: openStore },
  { name: 'log in the place of a store', code: 'DW_STORE_OF_ANOTHER', lay: logOf('shop'), open: openStore },
  { name: 'files in the place of a store', code: 'DW_DATA_UNUSABLE', lay: somebodysFiles, open: openStore },
  { name: 'database in the place of a store', code: 'DW_DATA_UNUSABLE', lay: somebodysDatabase, open: openStore },
]

/** Every stranger, then old stores. */
export async function strangersCampaign(options: StrangersOptions = {}): Promise<CampaignResult> {
  const { rounds = 500, seed = 1, onProgress = () => {} } = options
  const violations: string[] = []
  for (const stranger of strangers) {
    onProgress(stranger.name)
    violations.push(...(await meet(stranger)).map((what) => `${stranger.name}: ${what}`))
  }
  const old = await oldStores({ rounds, seed, onProgress })
  return {
    runs: strangers.length + old.runs,
    faults: strangers.length + old.faults,
    violations: [...violations, ...old.violations],
    coverage: { strangers: strangers.length, ...old.coverage },
  }
}

async function meet({ code, lay, open }: Stranger): Promise<readonly string[]> {
  const root = mkdtempSync(join(tmpdir(), 'dw-stranger-'))
  const directory = join(root, 'data')
  try {
    mkdirSync(directory)
    await lay(directory)
    const before = await digest(directory)
    const outcome = await open(directory).then(
      async (opened) => {
        await opened.close()
        return 'it was opened'
      },
      (error: unknown) => (error instanceof ConfigError ? error.code : `an untyped ${String(error)}`),
    )
    const wrong = outcome === code ? [] : [`${outcome}, where ${code} was expected`]
    if ((await digest(directory)) !== before) wrong.push('what was in it has changed')
    return wrong
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** LevelDB writes its files anew when it opens; what it holds has to be the same. */
const filesOfLevel = /^(CURRENT|LOCK|LOG(\.old)?|MANIFEST-\d+|\d+\.(log|ldb|sst|dbtmp))$/

/** Of everything in a directory: of a database its entries, of other files their bytes. */
async function digest(directory: string): Promise<string> {
  const hash = createHash('sha256')
  const isDatabase = readdirSync(directory).includes('CURRENT')
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true }).toSorted(byPlace)) {
    if (!entry.isFile() || (isDatabase && filesOfLevel.test(entry.name))) continue
    hash.update(`${join(entry.parentPath, entry.name)}\0`).update(readFileSync(join(entry.parentPath, entry.name)))
  }
  if (isDatabase) {
    const copy = `${directory}-copy`
    cpSync(directory, copy, { recursive: true })
    const raw = await openRaw(copy)
    for await (const [key, value] of raw.iterator()) hash.update(key).update(value)
    await raw.close()
    rmSync(copy, { recursive: true })
  }
  return hash.digest('hex')
}

interface Place {
  readonly parentPath: string
  readonly name: string
}
const byPlace = (a: Place, b: Place): number =>
  join(a.parentPath, a.name).localeCompare(join(b.parentPath, b.name), 'en')

async function openRaw(directory: string): Promise<ClassicLevel<Buffer, Buffer>> {
  const raw = new ClassicLevel<Buffer, Buffer>(directory, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
  await raw.open()
  return raw
}
