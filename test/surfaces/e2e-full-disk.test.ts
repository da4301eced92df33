// A disk that fills up under a running daemon, and has room again later: a real volume, and a simulated one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiProblem } from '../../src/cli/calls.ts'
import type { InstanceView } from '../../src/runtime/face.ts'
import { Site } from '../support/daemon.ts'
import { mebibyte, mountedDisk, simulatedDisk, type Disk } from '../support/small-disk.ts'

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
  await survives(site, simulatedDisk(site))
})

test('a volume that is really full does the same; where none can be mounted, the simulated one fills up again', async (t) => {
  const site = Site.of(t)
  await survives(site, mountedDisk(t) ?? simulatedDisk(site))
})
