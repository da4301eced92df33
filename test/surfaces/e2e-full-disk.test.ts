// A disk that fills up under a running daemon, and has room again later. Where this process may mount a volume of its own,
// a real one is filled; everywhere, one is simulated below LevelDB (support/full-disk.ts).
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ApiProblem } from '../../src/cli/client.ts'
import type { InstanceView } from '../../src/runtime/face.ts'
import { Site } from '../support/daemon.ts'

interface Disk {
  readonly data: string
  readonly env: { readonly [name: string]: string }
  /** Less than the log's reserve of 64 MiB is left, or nothing at all. */
  fill(how: 'reserve' | 'full'): void
  free(): void
}

function simulated(t: TestContext): Disk {
  const directory = mkdtempSync(join(tmpdir(), 'dw-disk-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const flag = join(directory, 'flag')
  const preload = new URL('../support/full-disk.ts', import.meta.url).href
  return {
    data: join(directory, 'data'),
    env: { FULL_DISK: flag, NODE_OPTIONS: `--import ${preload}` },
    fill: (how) => writeFileSync(flag, how),
    free: () => rmSync(flag),
  }
}

const mebibyte = 1_048_576

/** undefined: this process may not mount, or there is no such volume here. */
function mounted(t: TestContext): Disk | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'dw-disk-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const volume = join(directory, 'volume')
  mkdirSync(volume)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m', 'tmpfs', volume], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  t.after(() => execFileSync('umount', ['--lazy', volume]))
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

const workflow = `
workflow: order
start: [{ topic: orders }]
tasks:
  - { name: charge, type: kafka-command, topic: payments, value: { order: "\${ instance.key }" } }
  - { name: wait, type: trigger, delay: "\${ input.delay }" }
  - { name: ship, type: kafka-command, topic: shipments, value: { order: "\${ instance.key }" } }
`

const isUnavailable = (error: unknown): boolean => error instanceof ApiProblem && error.status === 503
const isWaiting = ({ waitingAt }: InstanceView): boolean => waitingAt.includes('wait')

async function survives(disk: Disk, t: TestContext): Promise<void> {
  const site = Site.of(t, { 'workflows/order.yaml': workflow })
  Object.assign(site.env, disk.env)
  const daemon = await site.start('--data', disk.data)
  const order = (key: string, delay: string): Promise<string> => daemon.produce('orders', key, { delay })
  const problem = (): Promise<string> => daemon.until(async () => (await daemon.health()).problems[0])
  const isWell = (): Promise<unknown> =>
    daemon.until(async () => {
      const { isReady, problems } = await daemon.health()
      return isReady && problems.length === 0 ? true : undefined
    })
  await order('o-1', '1500ms')
  await order('o-2', '3s')
  for (const key of ['o-1', 'o-2']) await daemon.instance('order', key, isWaiting)

  // Little is left: nothing new is taken, what runs goes on into the reserve.
  disk.fill('reserve')
  await assert.rejects(
    // It is looked at as bytes are written, so the first few may still be taken.
    daemon.until(async () => {
      for (let i = 0; i < 8; i++) await daemon.produce('payments', 'filler', 'x'.repeat(mebibyte - 1_000))
      return undefined
    }),
    isUnavailable,
  )
  assert.match(await problem(), /disk full/)
  assert.equal((await daemon.instance('order', 'o-1')).status, 'COMPLETED')
  disk.free()
  await isWell()

  // Nothing is left: nothing can be decided, and what there is can still be asked for.
  disk.fill('full')
  await assert.rejects(order('o-3', '0s'), isUnavailable)
  assert.match(await problem(), /disk full/)
  await daemon.until(async () => (daemon.log.some(({ msg }) => msg.includes('write to the log failed')) ? true : undefined))
  assert.ok(daemon.isRunning)

  disk.free()
  await isWell()
  await daemon.until(() => order('o-3', '0s').catch(() => undefined))
  for (const key of ['o-2', 'o-3']) assert.equal((await daemon.instance('order', key)).status, 'COMPLETED')
  const shipped = (await daemon.records('shipments')).map(({ key }) => key)
  assert.deepEqual(shipped.sort(), ['o-1', 'o-2', 'o-3'])
  assert.deepEqual((await daemon.client.listInstances({ limit: 10 })).items.length, 3)
  assert.equal(await daemon.stop(), 0)
  assert.equal((await (await site.start('--data', disk.data)).client.findInstanceByKey('order', 'o-3'))?.status, 'COMPLETED')
}

test('a simulated full disk stops intake and not the daemon, which goes on by itself once there is room', (t) =>
  survives(simulated(t), t))

test('a volume that is really full does the same; where none can be mounted, the simulated one fills up twice', async (t) => {
  const disk = mounted(t)
  if (disk !== undefined) await survives(disk, t)
  else for (let times = 0; times < 2; times++) await survives(simulated(t), t)
})
