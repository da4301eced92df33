// Several workers of one application as users run them: any of them answers for all, each keeps copies of what the
// others run, and one that is killed is followed by who has its copies.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { partitionOfText } from '../../src/base/partitioner.ts'
import type { WorkerRecord } from '../../src/runtime/face.ts'
import { type Daemon, Site } from '../support/daemon.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()
const partitions = 6
const order = readFileSync(new URL('../../workflows/order.yaml', import.meta.url), 'utf8')

async function workersBy(daemon: Daemon): Promise<readonly WorkerRecord[]> {
  const answer = await fetch(`${daemon.client.server}/workers`)
  const { items } = (await answer.json()) as { items: readonly WorkerRecord[] }
  return items
}

/** Resolves when each runs its share and keeps a copy of what the others run, and all know it of each other. */
async function untilSettled(daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons) {
    await daemon.until(async () => {
      const { partitions: own, copies, isReady } = await daemon.health()
      const isShare = own.length === partitions / daemons.length && copies.length === partitions / daemons.length
      const known = (await workersBy(daemon)).flatMap(({ owned }) => owned.map(({ partition }) => partition))
      return isReady && isShare && new Set(known).size === partitions ? true : undefined
    })
  }
}

test('any worker answers for all, and one that is killed is followed by who keeps its copies', async (t) => {
  const app = `fleet-${randomUUID().slice(0, 8)}`
  const site = Site.of(t, { 'workflows/order.yaml': order.replaceAll(/topic: ([\w-]+)/g, `topic: ${app}-$1`) })
  const flags = ['--brokers', brokers().join(','), '--app', app, '--partitions', String(partitions)]
  const first = await site.start(...flags)
  const second = await site.start(...flags)
  await untilSettled([first, second])
  const keys = Array.from({ length: 24 }, (_, i) => `o-${i}`)
  assert.equal(new Set(keys.map((key) => partitionOfText(key, partitions))).size, partitions)

  // Started by calls to one of them, whoever runs the partition of the key.
  for (const key of keys)
    await first.client.startInstance({ workflow: 'order', key, input: { orderId: key, amount: 1 } }, key)
  for (const daemon of [first, second]) {
    const pages = [await daemon.client.listInstances({ limit: 10 })]
    while (pages.at(-1)!.next !== undefined)
      pages.push(await daemon.client.listInstances({ limit: 10, cursor: pages.at(-1)!.next }))
    const items = pages.flatMap((page) => page.items)
    assert.deepEqual(items.map(({ key }) => key).sort(), keys.toSorted())
    assert.deepEqual(
      items.map(({ id }) => id),
      items
        .map(({ id }) => id)
        .toSorted()
        .toReversed(),
    )
    for (const { key, id } of items) {
      assert.equal((await daemon.client.findInstance(id))?.key, key)
      assert.equal((await daemon.client.findInstanceByKey('order', key))?.id, id)
    }
  }

  // An operation that one carries out acts on what all run, and is seen from any.
  const started = await second.client.startOperation({ action: 'suspend', filter: { workflow: 'order' } })
  const over = await first.until(async () => {
    const operation = await first.client.operation(started.id, 1_000)
    return operation.endedAt === undefined ? undefined : operation
  })
  assert.deepEqual([over.status, over.counts.matched, over.counts.done], ['completed', keys.length, keys.length])
  assert.equal((await first.client.listInstances({ status: 'SUSPENDED', limit: 100 })).items.length, keys.length)

  const copies = (await second.health()).copies
  await first.kill()
  await second.until(async () => {
    const { partitions: own } = await second.health()
    return own.length === partitions && own.every(({ phase }) => phase === 'running') ? true : undefined
  })
  assert.equal(copies.length, partitions / 2)
  const { items } = await second.client.listInstances({ limit: 100 })
  assert.equal(items.length, keys.length)

  // Back in its directory, its own stores are the nearest copies.
  const third = await site.start(...flags)
  await untilSettled([second, third])
})
