// Secrets through the daemon: they reach the handler, the thread and the service, and nothing that is kept or told.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { Site } from '../support/daemon.ts'
import { receiveOtlp } from '../support/otlp.ts'

const secret = 'q7kXw-never-to-be-found'
const beacon = 'q7kXw-to-be-found'

test('a secret reaches handlers, threads and services, and neither the state, topics, logs, answers nor telemetry', async (t) => {
  const seen: unknown[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers['authorization'])
    response.writeHead(seen.length > 1 ? 200 : 500, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ echo: request.headers['authorization'] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const handler = (what: string): string => `
export default (task) => {
  task.logger.info({ input: task.input }, 'given ' + task.input.token)
  if (task.attempt === 1) throw new Error('${what} with ' + task.input.token)
  return { echo: task.input.token, length: task.input.token.length }
}
`
  const site = Site.of(t, {
    'handlers/near.mjs': handler('near'),
    'handlers/far.mjs': handler('far'),
    'workflows/w.yaml': `
workflow: w
start: [{ topic: starts }]
tasks:
  - { name: near, type: near, with: { token: "\${ secrets.TOKEN }" }, retry: { initialInterval: 10ms } }
  - { name: far, type: far, execution: thread, with: { token: "\${ secrets.TOKEN }" }, retry: { initialInterval: 10ms } }
  - name: call
    type: http
    url: http://127.0.0.1:${port}/
    headers: { authorization: "Bearer \${ secrets.TOKEN }" }
    retry: { initialInterval: 10ms }
  - { name: tell, type: kafka-command, topic: told, value: { near: "\${ tasks.near.output }", call: "\${ tasks.call.output.body }", beacon: "\${ input.beacon }" } }
output: { near: "\${ tasks.near.output }", far: "\${ tasks.far.output }", call: "\${ tasks.call.output.body }" }
`,
  })
  site.env['DAGGER_SECRET_TOKEN'] = secret
  const receiver = await receiveOtlp(t)
  site.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url
  const daemon = await site.start('--http-allow', `127.0.0.1:${port}`, '--log-level', 'debug', '--otel')
  await daemon.produce('starts', 'k', { beacon })
  const instance = await daemon.instance('w', 'k', ({ status }) => status === 'COMPLETED')
  const { length } = secret
  assert.deepEqual(instance.output, {
    near: { echo: '***', length },
    far: { echo: '***', length },
    call: { echo: 'Bearer ***' },
  })
  assert.deepEqual(seen, [`Bearer ${secret}`, `Bearer ${secret}`])
  assert.ok(instance.timeline.some(({ note }) => note?.includes('near with ***') === true))
  const view = JSON.stringify(instance)
  await daemon.stop()
  const told = JSON.stringify(daemon.log)
  assert.equal(told.split('given ***').length, 1 + 2 * 2)

  const files = readdirSync(site.directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const kept = files.map((entry) => readFileSync(join(entry.parentPath, entry.name)))
  const isKept = (text: string): boolean => kept.some((bytes) => bytes.includes(text))
  // What is looked for would be found: the beacon came the same ways.
  assert.ok(isKept(beacon) && view.includes(beacon))
  assert.ok(!isKept(secret) && !view.includes(secret) && !told.includes(secret))
  const isExported = (text: string): boolean => receiver.bytes.some((bytes) => bytes.includes(text))
  assert.ok(isExported('given ***') && isExported('task near'))
  assert.ok(!isExported(secret) && !isExported(Buffer.from(secret).toString('base64')))
  // Lines say what a handler wants to say; spans hold none of what came in.
  assert.ok(!JSON.stringify(receiver.spans).includes(beacon))
})
