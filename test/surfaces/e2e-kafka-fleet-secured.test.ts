// Workers of one application on different addresses, with tokens and TLS: any of them answers for all, each knows who asks,
// and who may not come in at one comes in nowhere.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Calls, type Credentials } from '../../src/cli/calls.ts'
import { Client } from '../../src/cli/client.ts'
import { apiCertificates } from '../support/api-certificates.ts'
import { type Daemon, Site } from '../support/daemon.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()
const partitions = 4
const order = readFileSync(new URL('../../workflows/order.yaml', import.meta.url), 'utf8')

test('two workers with tokens and TLS answer for each other, and say who asked', async (t) => {
  const made = await apiCertificates(t)
  const app = `secured-${randomUUID().slice(0, 8)}`
  const site = Site.of(t, { 'workflows/order.yaml': order.replaceAll(/topic: ([\w-]+)/g, `topic: ${app}-$1`) })
  for (const [name, role] of [
    ['alice', 'operate'],
    ['grafana', 'read'],
  ] as const) {
    const { code, stdout, stderr } = await site.type(
      'token',
      'create',
      '--name',
      name,
      '--role',
      role,
      '--file',
      'tokens',
    )
    assert.equal(code, 0, stderr)
    site.write(`${name}.token`, stdout)
  }
  const tokenOf = (name: string): string => readFileSync(join(site.directory, `${name}.token`), 'utf8').trim()
  const start = async (host: string, name: string): Promise<Daemon> => {
    const { certFile, keyFile } = await made.worker(name)
    const files = ['--tokens-file', 'tokens', '--tls-cert-file', certFile, '--tls-key-file', keyFile]
    const kafka = ['--brokers', brokers().join(','), '--app', app, '--partitions', String(partitions)]
    return site.start(...kafka, '--host', host, ...files, '--tls-ca-file', made.caFile)
  }
  const [first, second] = [await start('127.0.0.1', 'w-1'), await start('127.0.0.2', 'w-2')]
  assert.match(first.url, /^https:\/\/127\.0\.0\.1:/)
  assert.match(second.url, /^https:\/\/127\.0\.0\.2:/)
  const clientOf = ({ url }: Daemon, given: Credentials): Client =>
    new Client(new Calls(url, { trust: { ca: made.ca }, ...given }))
  const alice = clientOf(first, { token: tokenOf('alice') })
  await first.until(async () => {
    const workers = await alice.listWorkers()
    return workers.length === 2 && workers.every(({ owned }) => owned.length === partitions / 2) ? true : undefined
  })

  const keys = Array.from({ length: 12 }, (_, i) => `o-${i}`)
  for (const key of keys) await alice.startInstance({ workflow: 'order', key, input: { orderId: key, amount: 1 } }, key)
  for (const daemon of [first, second]) {
    const reader = clientOf(daemon, { token: tokenOf('grafana') })
    const { items } = await reader.listInstances({ limit: 100 })
    assert.deepEqual(items.map(({ key }) => key).toSorted(), keys.toSorted())
    for (const { id } of items) assert.equal((await reader.findInstance(id))?.origin, 'api by alice')
    await assert.rejects(reader.startInstance({ workflow: 'order', input: null }, 'x'), { code: 'forbidden' })
    await assert.rejects(clientOf(daemon, {}).listInstances({ limit: 1 }), { code: 'unauthenticated' })
  }

  // By the command line, whoever runs the instance.
  const asAlice = ['--server', second.url, '--token-file', 'alice.token', '--ca-file', made.caFile]
  for (const key of keys.slice(0, 6)) {
    const { code, stderr } = await site.type('instances', 'suspend', `order/${key}`, '--by', 'ticket 4711', ...asAlice)
    assert.equal(code, 0, stderr)
    const instance = await alice.findInstanceByKey('order', key)
    assert.equal(instance?.status, 'SUSPENDED')
    assert.ok(
      instance.timeline.some(({ note }) => note?.includes('by alice (ticket 4711)')),
      JSON.stringify(instance.timeline),
    )
  }
  const audited = [first, second].flatMap(({ log }) =>
    log.filter(({ msg, what }) => msg === 'audit' && what === 'suspendInstance'),
  )
  assert.ok(audited.length >= 6 && audited.every(({ who }) => who === 'alice'))
  for (const daemon of [first, second]) assert.equal(await daemon.stop(), 0)
})
