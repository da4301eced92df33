// Why, and how things stand, on Kafka: asked of one worker, answered from what two of them run.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Daemon, Site } from '../support/daemon.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()
const partitions = 4
const order = readFileSync(new URL('../../workflows/order.yaml', import.meta.url), 'utf8')

/** Whether all run as many: nothing will move. */
function isShared(items: readonly { readonly worker?: string }[], workers: number): boolean {
  const shares = [...Map.groupBy(items, ({ worker }) => worker).values()].map(({ length }) => length)
  return shares.length === workers && shares.every((share) => share === items.length / workers)
}

/** Resolves when each runs its share, keeps a copy of what the other runs, and nothing is behind. */
async function untilSettled(daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons) {
    await daemon.until(async () => {
      const { items, missing } = await daemon.client.listPartitions()
      const isSettled =
        missing.length === 0 &&
        isShared(items, daemons.length) &&
        items.every(
          ({ phase, copies, sources }) =>
            phase === 'running' && copies.length === 1 && sources.every(({ behind }) => behind === 0),
        )
      return isSettled ? true : undefined
    })
  }
}

interface Page<Item> {
  readonly items: readonly Item[]
  readonly next?: string
}

/** All pages of a list. */
async function all<Item>(
  ask: (bounds: { readonly limit: number; readonly cursor?: string }) => Promise<Page<Item>>,
): Promise<readonly Item[]> {
  const items: Item[] = []
  for (let cursor: string | undefined; ;) {
    const page = await ask({ limit: 3, ...(cursor === undefined ? {} : { cursor }) })
    items.push(...page.items)
    if (page.next === undefined) return items
    cursor = page.next
  }
}

test('any of two workers explains and lists what both run, and says how they stand', async (t) => {
  const app = `insight-${randomUUID().slice(0, 8)}`
  const site = Site.of(t, { 'workflows/order.yaml': order.replaceAll(/topic: ([\w-]+)/g, `topic: ${app}-$1`) })
  const flags = ['--brokers', brokers().join(','), '--app', app, '--partitions', String(partitions)]
  const first = await site.start(...flags)
  const second = await site.start(...flags)
  await untilSettled([first, second])
  const keys = Array.from({ length: 10 }, (_, i) => `o-${i}`)
  const places = new Map<string, string>()
  for (const key of keys) places.set(key, await first.produce(`${app}-orders`, key, { orderId: key, amount: 1 }))
  for (const key of keys) await first.instance('order', key, ({ waitingAt }) => waitingAt.includes('charged'))
  await first.produce(`${app}-payment-events`, 'x', { orderId: 'O-3', status: 'paid' })
  // How far behind a worker is, is what its last fetch told: a record that has just been produced is not in that yet.
  await first.until(async () => ((await first.client.listKept({ limit: 1 })).items.length === 1 ? true : undefined))
  // Markers of transactions lie behind the last records: who has read all is not behind.
  await untilSettled([first, second])

  for (const { client } of [first, second]) {
    for (const key of keys) {
      const { id = '' } = (await client.findInstanceByKey('order', key)) ?? {}
      const explained = await client.explainInstance(id)
      assert.deepEqual(
        explained.tasks.map(({ task, kind }) => [task, kind]),
        [['charged', 'record']],
      )
      const [, partition = '', offset = ''] = /\/(\d+)@(\d+)$/.exec(places.get(key) ?? '') ?? []
      const record = await client.explainRecord(`${app}-orders`, Number(partition), Number(offset))
      assert.deepEqual(
        record.uses.map(({ outcome, instances }) => [outcome, instances]),
        [['started', [id]]],
        record.summary,
      )
    }
    const { id = '' } = (await client.findInstanceByKey('order', 'o-3')) ?? {}
    const [miss] = (await client.explainInstance(id)).tasks[0]?.listener?.nearMisses.items ?? []
    assert.deepEqual([miss?.reason, miss?.found], ['value-differs', 'O-3'])
    const waited = await all((bounds) => client.listSubscriptions(bounds))
    assert.deepEqual(waited.map(({ value }) => value).toSorted(), keys)
    const timers = await all((bounds) => client.listTimers({ ...bounds, workflow: 'order', kind: 'timeout' }))
    assert.deepEqual(timers.map(({ key = '' }) => key).toSorted(), keys)
    assert.deepEqual(
      timers.map(({ dueAt }) => dueAt),
      timers.map(({ dueAt }) => dueAt).toSorted(),
    )
    const kept = await all((bounds) => client.listKept(bounds))
    assert.deepEqual(
      kept.map(({ value }) => value),
      ['O-3'],
    )
    const status = await client.status()
    assert.deepEqual([status.verdict, status.reasons, status.workers.length], ['well', [], 2])
    for (const { durability } of status.workers) {
      assert.equal(durability.kind, 'brokers')
      assert.deepEqual([durability.changelog, durability.replicas], [`${app}.changelog`, 1])
    }
  }

  await second.kill()
  await first.until(async () => ((await first.client.status()).verdict === 'well' ? true : undefined))
  const { items } = await first.client.listPartitions()
  assert.equal(new Set(items.map(({ worker }) => worker)).size, 1)
})
