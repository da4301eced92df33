// http tasks through the daemon: a service that answers, and a host that nobody allowed.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Site } from '../support/daemon.ts'

test('an http task calls a service until it answers, with one idempotency key; a host that is not allowed is refused', async (t) => {
  const keys: unknown[] = []
  const server = createServer((request, response) => {
    keys.push(request.headers['idempotency-key'])
    const isReady = keys.length > 2
    response.writeHead(isReady ? 200 : 503, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ tracking: isReady ? 't1' : null }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const site = Site.of(t, {
    'workflows/ship.yaml': `
workflow: ship
start: [{ topic: ships }]
tasks:
  - name: book
    type: http
    dependsOn: []
    url: http://127.0.0.1:${port}/book
    body: { order: "\${ instance.key }" }
    retry: { maxAttempts: 5, initialInterval: 10ms }
  - { name: other, type: http, dependsOn: [], url: "http://127.0.0.1:1/", onFailure: skip }
output: { tracking: "\${ tasks.book.output.body.tracking }", other: "\${ tasks.other.status }" }
`,
  })
  const daemon = await site.start('--http-allow', `127.0.0.1:${port}`)
  await daemon.produce('ships', 's', {})
  const instance = await daemon.instance('ship', 's', ({ status }) => status === 'COMPLETED')
  assert.deepEqual(instance.output, { tracking: 't1', other: 'SKIPPED' })
  assert.deepEqual(
    keys,
    Array.from({ length: 3 }, () => `${instance.id}/book`),
  )
  const other = instance.tasks.find(({ name }) => name === 'other')
  assert.deepEqual([other?.error?.code, other?.attempt], ['http-host-refused', 1])
  assert.match(other?.error?.message ?? '', /--http-allow 127\.0\.0\.1:1/)
})
