// A daemon that is started where its data cannot be read, written or had: it refuses with a code that tells what to do and
// where, exits as for a wrong command line, and touches nothing. Once the cause is gone it starts, and everything is there.
// A lock that a dead process left behind is no cause; and data that is taken from a running daemon is missed by it.
import { createHash } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { exitCodes } from '../../src/cli/exit-codes.ts'
import { type Daemon, NotStarted, Site } from '../support/daemon.ts'
import { orderFile } from './audit.ts'
import type { CampaignResult } from './campaign.ts'
import { dataIn, type Volume } from './disk-faults.ts'

interface BadStart {
  readonly name: string
  readonly code: string
  spoil(data: string): void
  mend(data: string): void
  /** LevelDB writes what it can before it fails; what it had is kept. */
  readonly leavesTraces?: true
  /** For the daemon that is to refuse. */
  readonly env?: { readonly [name: string]: string }
}

const ids = Array.from({ length: 20 }, (_, i) => `o-${i}`)
const readOnly = 0o555
const writable = 0o755

/** Where this process is root the daemon is made nobody. */
const unprivileged =
  process.getuid?.() === 0
    ? { NODE_OPTIONS: `--import ${new URL('../support/drop-root.ts', import.meta.url).href}` }
    : {}

const badStarts: readonly BadStart[] = [
  unreadable('CURRENT'),
  unreadable('MANIFEST'),
  unreadable('.log'),
  {
    name: 'a directory that may not be written',
    code: 'DW_DATA_UNUSABLE',
    spoil: (data) => chmodSync(join(data, 'log'), readOnly),
    mend: (data) => chmodSync(join(data, 'log'), writable),
    env: unprivileged,
  },
  {
    name: 'a directory that may not be made',
    code: 'DW_DATA_UNUSABLE',
    spoil: (data) => {
      renameSync(data, `${data}-aside`)
      mkdirSync(data, { mode: readOnly })
    },
    mend: (data) => {
      rmSync(data, { recursive: true })
      renameSync(`${data}-aside`, data)
    },
    env: unprivileged,
  },
  {
    name: 'a file where the directory should be',
    code: 'DW_DATA_UNUSABLE',
    spoil: (data) => {
      renameSync(data, `${data}-aside`)
      writeFileSync(data, 'somebody’s')
    },
    mend: (data) => {
      rmSync(data)
      renameSync(`${data}-aside`, data)
    },
  },
]

/** On a volume of its own. */
function onVolume(volume: Volume): readonly BadStart[] {
  return [
    {
      name: 'a volume that is read-only',
      code: 'DW_DATA_UNUSABLE',
      spoil: () => volume.setReadOnly(true),
      mend: () => volume.setReadOnly(false),
    },
    {
      name: 'a volume that is full',
      code: 'DW_DATA_UNUSABLE',
      leavesTraces: true,
      spoil: () => volume.fill(0),
      mend: () => volume.free(),
    },
  ]
}

/** A file of which the first byte cannot be read: EIO by the kernel, as of a disk with a bad block. */
function unreadable(kind: string): BadStart {
  let name = ''
  return {
    name: `a ${kind} that cannot be read`,
    code: 'DW_DATA_UNUSABLE',
    spoil(data) {
      name = readdirSync(join(data, 'log')).find((each) => each.startsWith(kind) || each.endsWith(kind)) ?? kind
      renameSync(join(data, 'log', name), `${data}-${name}`)
      symlinkSync('/proc/self/mem', join(data, 'log', name))
    },
    mend(data) {
      rmSync(join(data, 'log', name), { force: true })
      renameSync(`${data}-${name}`, join(data, 'log', name))
    },
  }
}

/** Every bad start, then the locks, then the loss of the directory. */
export async function startsOnBadDisks(
  volume: Volume | undefined,
  onProgress: (text: string) => void,
): Promise<CampaignResult> {
  const site = new Site()
  const violations: string[] = []
  const report = (name: string, found: readonly string[]): void =>
    void violations.push(...found.map((what) => `${name}: ${what}`))
  try {
    site.write('workflows/order.yaml', readFileSync(orderFile, 'utf8'))
    for (const path of [site.directory, join(site.directory, 'workflows')]) chmodSync(path, writable)
    const places = [{ data: dataIn(site.directory), bad: badStarts }]
    if (volume !== undefined) places.push({ data: dataIn(join(volume.directory, 'starts')), bad: onVolume(volume) })
    for (const { data, bad } of places) {
      await begin(site, data)
      for (const each of bad) {
        onProgress(each.name)
        report(each.name, await refusesAndStartsAgain(site, data, each))
      }
    }
    onProgress('locks')
    report('lock', await locks(site, dataIn(site.directory)))
    onProgress('removed under the running daemon')
    report('removed', await removed(site, dataIn(site.directory)))
    const starts = places.reduce((sum, { bad }) => sum + bad.length, 0)
    return { runs: starts + 3, faults: starts + 3, violations, coverage: { refusedStarts: starts } }
  } finally {
    await site.close()
  }
}

/** Orders that were acknowledged and wait for their payment. */
async function begin(site: Site, data: string): Promise<void> {
  const daemon = await site.start('--data', data)
  for (const key of ids) await daemon.produce('orders', key, { orderId: key, amount: 1 })
  await isWhole(daemon)
  await daemon.stop()
}

/** Throws when that does not come about. */
async function isWhole(daemon: Daemon): Promise<void> {
  await daemon.until(async () => {
    const { items } = await daemon.client.listInstances({ status: 'EXECUTING', limit: 100 })
    const waiting = items.filter(({ waitingAt }) => waitingAt.includes('charged')).map(({ key }) => key)
    return new Set(waiting).size === ids.length && items.length === ids.length ? true : undefined
  })
}

async function refusesAndStartsAgain(site: Site, data: string, bad: BadStart): Promise<readonly string[]> {
  bad.spoil(data)
  const before = digest(data)
  const found = await refusal(site, data, bad.code, bad.env)
  if (bad.leavesTraces !== true && digest(data) !== before) found.push('files were changed')
  bad.mend(data)
  const daemon = await site.start('--data', data)
  await isWhole(daemon)
  await daemon.stop()
  return found
}

/** What is wrong with how a daemon refuses to start. */
async function refusal(site: Site, data: string, code: string, env: BadStart['env'] = {}): Promise<string[]> {
  Object.assign(site.env, env)
  const error = await site.start('--data', data).then(
    async (daemon) => {
      await daemon.stop()
      return undefined
    },
    (reason: unknown) => reason,
  )
  for (const name of Object.keys(env)) delete site.env[name]
  if (error === undefined) return ['it started']
  if (!(error instanceof NotStarted)) throw error
  const wrong: string[] = []
  if (error.code !== exitCodes.usage) wrong.push(`it ended with ${error.code}`)
  for (const word of [code, data]) if (!error.stderr.includes(word)) wrong.push(`no ${word} in ${error.stderr}`)
  return wrong
}

/** One that a dead process left behind, and one that is held. */
async function locks(site: Site, data: string): Promise<readonly string[]> {
  const dead = await site.start('--data', data)
  await dead.kill()
  const holder = await site.start('--data', data)
  await isWhole(holder)
  const before = digest(data)
  const found = await refusal(site, data, 'DW_DATA_IN_USE')
  if (digest(data) !== before) found.push('files of the one that runs were changed')
  await isWhole(holder)
  await holder.produce('orders', 'later', { orderId: 'later', amount: 1 })
  if ((await holder.stop()) !== exitCodes.ok) found.push('the holder did not stop well')
  return found
}

/** Nothing is acknowledged that went into files which are gone. */
async function removed(site: Site, data: string): Promise<readonly string[]> {
  const found: string[] = []
  const daemon = await site.start('--data', data)
  rmSync(data, { recursive: true })
  const place = await daemon.produce('orders', 'lost', { orderId: 'lost', amount: 1 }).catch(() => undefined)
  if (place !== undefined) found.push(`${place} was acknowledged, and is gone`)
  const { problems } = await daemon.health()
  if (!problems.some((problem) => problem.includes(data))) found.push(`health says ${JSON.stringify(problems)}`)
  if ((await daemon.stop()) !== exitCodes.ok) found.push('it did not stop well')
  return found
}

/** LevelDB begins a new diary, and takes its lock, before it looks at anything. */
const ofEveryOpen = /^(LOG|LOG\.old|LOCK)$/

/** Of all files in a place, by name and content. */
function digest(place: string): string {
  const hash = createHash('sha256')
  for (const entry of entriesIn(place)) hash.update(entry).update('\0')
  return hash.digest('hex')
}

function entriesIn(place: string): readonly string[] {
  if (statSync(place).isFile()) return [readFileSync(place, 'base64')]
  const entries = readdirSync(place, { recursive: true, withFileTypes: true }).filter(
    ({ name }) => !ofEveryOpen.test(name),
  )
  return entries
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const content = entry.isFile() ? readFileSync(path, 'base64') : entry.isSymbolicLink() ? readlinkSync(path) : ''
      return `${path} ${content}`
    })
    .sort((a, b) => a.localeCompare(b, 'en'))
}
