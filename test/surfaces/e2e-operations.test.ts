// Operations as a person on call uses them, on a real daemon: one that is killed in the middle, and goes on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Daemon } from '../support/daemon.ts'
import { Site } from '../support/daemon.ts'

/** One signal too many would take it to `third`. */
const waits = `
workflow: waits
start:
  - topic: begin
    from: earliest
attributes: { group: input.group }
tasks:
  - { name: first, type: signal, signal: go }
  - { name: second, type: signal, signal: go }
  - { name: third, type: signal, signal: go }
`
const many = 3_000

async function countAt(daemon: Daemon, waitingAt: string): Promise<number> {
  let count = 0
  let cursor: string | undefined
  do {
    const page = await daemon.client.listInstances({ workflow: 'waits', waitingAt, limit: 1_000, cursor })
    count += page.items.length
    cursor = page.next
  } while (cursor !== undefined)
  return count
}

test('an operation that was killed half-way goes on under its id, and nothing is done twice', async (t) => {
  const site = Site.of(t, { 'workflows/waits.yaml': waits })
  const first = await site.start()
  const records = Array.from({ length: many }, (_, n) => ({ key: `k-${n}`, value: { group: `g-${n % 1_000}` } }))
  await first.client.produce('begin', records)
  await first.until(async () => ((await countAt(first, 'first')) === many ? true : undefined))
  const { items } = await first.client.listInstances({ attribute: ['group:g-7'], limit: 10 })
  assert.deepEqual(items.map(({ key }) => key).sort(), ['k-1007', 'k-2007', 'k-7'])

  const body = { action: 'signal', name: 'go', filter: { workflow: 'waits' }, by: 'ann' }
  const { id } = await first.client.startOperation(body)
  await first.until(async () => ((await first.client.operation(id)).counts.done >= 200 ? true : undefined))
  await first.kill()

  const second = await site.start()
  assert.equal((await second.client.listInstances({ attribute: ['group:g-7'], limit: 10 })).items.length, 3)
  const doneBefore = await countAt(second, 'second')
  assert.ok(doneBefore >= 200 && doneBefore < many, String(doneBefore))
  await assert.rejects(second.client.operation(id), { code: 'operation-not-found' })
  await second.client.startOperation({ ...body, id })
  const over = await second.until(async () => {
    const operation = await second.client.operation(id, 1_000)
    return operation.endedAt === undefined ? undefined : operation
  })
  assert.equal(over.status, 'completed')
  assert.deepEqual(over.counts, {
    matched: many,
    done: many - doneBefore,
    refused: 0,
    failed: 0,
    doneBefore,
    left: 0,
  })
  assert.deepEqual([await countAt(second, 'second'), await countAt(second, 'third')], [many, 0])
})
