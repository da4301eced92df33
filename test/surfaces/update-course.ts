// Orders that go through a worker which is killed again and again (kill -9), and what is told of them: on either log.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Update } from '../../src/records/update.ts'
import type { RecordView } from '../../src/runtime/face.ts'
import { hasSettled, type Daemon, type Site } from '../support/daemon.ts'
import { assertPublished } from '../support/update-schemas.ts'

export const orderWorkflow = readFileSync(new URL('../../workflows/order.yaml', import.meta.url), 'utf8')
const keys = Array.from({ length: 30 }, (_, number) => `o-${number}`)
const kills = 3

/** @param topic the name that a topic of the workflow has here */
export async function tellThroughKills(
  site: Site,
  {
    app,
    topic,
    flags,
  }: { readonly app: string; readonly topic: (name: string) => string; readonly flags: readonly string[] },
): Promise<void> {
  let daemon = await site.start(...flags)
  const answers = keys.flatMap((orderId) => [
    ['orders', { orderId, amount: 1 }] as const,
    ['payment-events', { orderId, status: orderId.endsWith('7') ? 'declined' : 'paid' }] as const,
    ['warehouse-events', { orderId, tracking: 'T' }] as const,
  ])
  for (let kill = 0; kill < kills; kill++) {
    const some = answers.slice((kill * answers.length) / kills, ((kill + 1) * answers.length) / kills)
    for (const [name, value] of some) await daemon.produce(topic(name), value.orderId, value)
    // In the middle of what they set off.
    await daemon.kill()
    daemon = await site.start(...flags)
  }
  for (const key of keys) await daemon.instance('order', key, hasSettled)
  await assertToldOnce(site, daemon, app)
}

async function assertToldOnce(site: Site, daemon: Daemon, app: string): Promise<void> {
  const consumed = await site.type('consume', `${app}.updates`, '--json', '--server', daemon.url)
  assert.equal(consumed.code, 0, consumed.stderr)
  const records = consumed.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RecordView)
  const told = Map.groupBy(records, ({ key }) => key)
  assert.equal(told.size, keys.length)
  for (const key of keys) {
    const view = await daemon.client.findInstanceByKey('order', key)
    assert.ok(view !== undefined)
    const own = (told.get(view.id) ?? []).toSorted((a, b) => a.offset - b.offset)
    const updates = own.map(({ value }) => value as unknown as Update)
    updates.forEach(assertPublished)
    assert.deepEqual(new Set(own.map(({ partition }) => partition)), new Set([view.partition]))
    assert.deepEqual(
      new Set(own.map(({ headers }) => headers['content-type'])),
      new Set(['application/cloudevents+json']),
    )
    assert.deepEqual(
      updates.map(({ id, sequence, time, data }) => [id, Number(sequence), time, data.task]),
      view.timeline.map(({ at, task }, index) => [`${view.id}/${index + 1}`, index + 1, at, task]),
    )
    const last = updates.at(-1)
    assert.equal(view.incidents, last?.data.incidents)
    if (view.incidents === 0) assert.equal(last?.type, 'dagger-worker.instance.completed')
  }
}
