// A disk that fills up under a running daemon, and has room again later. Where this process may mount a volume of its own,
// a real one is filled; everywhere, one is simulated below LevelDB (support/full-disk.ts).
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
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

function simulated(site: Site): Disk {
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

const mebibyte = 1_048_576

/** A volume of its own, gone after the test's daemon. undefined: this process may not mount, or there is no tmpfs here. */
function mounted(t: TestContext): Disk | undefined {
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

const workflow = `
workflow: order
start: [{ topic: orders }, { topic: fillers, when: 'false' }]
tasks:
  - { name: charge, type: kafka-command, topic: payments, value: { order: "\${ instance.key }" } }
  - { name: wait, type: trigger, delay: "\${ input.delay }" }
  - { name: ship, type: kafka-command, topic: shipments, value: { order: "\${ instance.key }" } }
`

const inOrder = (a: string, b: string): number => a.localeCompare(b)
const isUnavailable = (error: unknown): void => assert.equal(error instanceof ApiProblem ? error.status : error, 503)
const isWaiting = ({ waitingAt }: InstanceView): boolean => waitingAt.includes('wait')

async function survives(site: Site, disk: Disk): Promise<void> {
  site.write('workflows/order.yaml', workflow)
  Object.assign(site.env, disk.env)
  const daemon = await site.start('--data', disk.data)
  const order = (key: string, delay: string): Promise<string> => daemon.produce('orders', key, { delay })
  const filler = 'x'.repeat(mebibyte - 1_000)
  /** Space is looked at as bytes are written, so the first few may still be taken. */
  const isRefused = (): Promise<unknown> =>
    daemon.until(() =>
      daemon.produce('fillers', 'f', filler).then(
        () => undefined,
        (error: unknown) => error,
      ),
    )
  const problem = (): Promise<string> => daemon.until(async () => (await daemon.health()).problems[0])
  const isWell = (): Promise<unknown> =>
    daemon.until(async () => {
      const { isReady, problems } = await daemon.health()
      return isReady && problems.length === 0 ? true : undefined
    })
  await order('o-1', '1500ms')
  await order('o-2', '4s')
  for (const key of ['o-1', 'o-2']) await daemon.instance('order', key, isWaiting)

  // Little is left: nothing new is taken, what runs goes on into the reserve.
  disk.fill('reserve')
  isUnavailable(await isRefused())
  assert.match(await problem(), /disk full/)
  assert.equal((await daemon.instance('order', 'o-1')).status, 'COMPLETED')
  disk.free()
  await isWell()

  // Nothing is left: nothing can be decided, and the daemon waits.
  disk.fill('full')
  isUnavailable(await isRefused())
  isUnavailable(await order('o-3', '0s').catch((error: unknown) => error))
  assert.match(await problem(), /disk full/)
  await daemon.until(async () =>
    daemon.log.some(({ msg }) => msg.includes('write to the log failed')) ? true : undefined,
  )
  assert.ok(daemon.isRunning)

  disk.free()
  await isWell()
  await order('o-3', '0s')
  for (const key of ['o-2', 'o-3']) assert.equal((await daemon.instance('order', key)).status, 'COMPLETED')
  const shipped = (await daemon.records('shipments')).map(({ key }) => key ?? '')
  assert.deepEqual(shipped.sort(inOrder), ['o-1', 'o-2', 'o-3'])
  assert.equal((await daemon.client.listInstances({ limit: 10 })).items.length, 3)
  assert.equal(await daemon.stop(), 0)
  const again = await site.start('--data', disk.data)
  assert.equal((await again.client.findInstanceByKey('order', 'o-3'))?.status, 'COMPLETED')
}

test('a simulated full disk stops intake and not the daemon, which goes on by itself once there is room', async (t) => {
  const site = Site.of(t)
  await survives(site, simulated(site))
})

test('a volume that is really full does the same; where none can be mounted, the simulated one fills up again', async (t) => {
  const site = Site.of(t)
  await survives(site, mounted(t) ?? simulated(site))
})
