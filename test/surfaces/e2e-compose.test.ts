// compose.yaml: it is what the specification of Compose takes, its worker fits the image and the broker, and the settings of
// that broker are such that a real one starts with them and a worker is ready on it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { DCLinter } from 'dclint'
import { parse } from 'yaml'
import { parseDuration } from '../../src/definition/duration.ts'
import { Site } from '../support/daemon.ts'
import { theOnly } from '../support/image.ts'
import { freePorts, newClusterId, startBroker } from '../support/kafka/broker.ts'
import { repository } from './checkout.ts'

interface Service {
  readonly environment: { readonly [name: string]: string | number }
  readonly volumes: readonly string[]
  readonly [key: string]: unknown
}

const file = join(repository, 'compose.yaml')
const { services, volumes }: { services: { [name in 'kafka' | 'worker']: Service }; volumes: object } = parse(
  readFileSync(file, 'utf8'),
)
const { kafka, worker } = services

/** "CLIENTS://127.0.0.1:9092,…" by name. */
const listed = (key: string, separator: string): ReadonlyMap<string, string> =>
  new Map(
    String(kafka.environment[key])
      .split(',')
      .map((each) => [each.slice(0, each.indexOf(separator)), each.slice(each.indexOf(separator) + separator.length)]),
  )

suite('compose.yaml', () => {
  test('is what the specification takes, and has none of the slips that a linter knows', () => {
    const rules = { 'require-quotes-in-ports': [2, { quoteType: 'double' }] } as const
    const linter = new DCLinter({ rules, quiet: false, debug: false, exclude: [] })
    const results: readonly { readonly messages: readonly object[] }[] = linter.lintFiles([file], false)
    assert.equal(results.length, 1)
    assert.deepEqual(results[0]?.messages, [])
  })

  test('gives each listener of Kafka an address and a protocol; people and containers come in by one of their own', () => {
    const listeners = listed('KAFKA_LISTENERS', '://')
    assert.deepEqual(
      [...listed('KAFKA_LISTENER_SECURITY_PROTOCOL_MAP', ':').keys()].sort(),
      [...listeners.keys()].sort(),
    )
    const advertised = listed('KAFKA_ADVERTISED_LISTENERS', '://')
    for (const [name, address] of advertised) assert.ok(address.endsWith(listeners.get(name)!), name)
    assert.deepEqual(kafka['ports'], [`${advertised.get('CLIENTS')}:${advertised.get('CLIENTS')!.split(':')[1]}`])
    assert.equal(advertised.get('CONTAINERS'), worker.environment['DAGGER_WORKER_BROKERS'])
    assert.equal(kafka['depends_on'], undefined, 'Kafka starts alone')
    assert.equal(Object(kafka['healthcheck']).test.at(-1), worker.environment['DAGGER_WORKER_BROKERS'])
  })

  test('runs the image of this repository as it is meant to be run, once Kafka is healthy', () => {
    assert.equal(worker['build'], '.')
    assert.deepEqual(worker['depends_on'], { kafka: { condition: 'service_healthy' } })
    assert.equal(worker['read_only'], true)
    const mounted = worker.volumes.map((volume) => volume.split(':').slice(1).join(':'))
    const paths = Object.fromEntries(
      theOnly('ENV')
        .split(/\s+/)
        .map((each) => each.split('=')),
    )
    assert.deepEqual(mounted, [`${paths['DAGGER_WORKER_WORKFLOWS']}:ro`, paths['DAGGER_WORKER_DATA']])
    assert.ok(parseDuration(String(worker['stop_grace_period']))! >= 60_000)
    const used = [kafka, worker].flatMap((each) => each.volumes).map((volume) => volume.split(':')[0]!)
    assert.deepEqual(used.filter((name) => !name.startsWith('.')).sort(), Object.keys(volumes).sort())
  })

  test('has settings that a broker starts with, and a worker is ready on it', async (t) => {
    const [port = 0, controllerPort = 0, containersPort = 0] = await freePorts(3)
    const here = (text: string): string =>
      text
        .replaceAll(/:\/\/(?:kafka|127\.0\.0\.1)?:/g, '://127.0.0.1:')
        .replaceAll(':19092', `:${containersPort}`)
        .replaceAll(':9092', `:${port}`)
        .replaceAll(':9093', `:${controllerPort}`)
    const settings = Object.entries(kafka.environment)
      .filter(([name]) => name !== 'KAFKA_LOG_DIRS')
      .map(([name, value]) => [name.slice(6).toLowerCase().replaceAll('_', '.'), here(String(value))])
    const place = { port, controllerPort, clusterId: newClusterId(), javaOptions: [] }
    const broker = await startBroker(Object.fromEntries(settings), undefined, undefined, place)
    t.after(() => broker.dispose())
    const daemon = await Site.of(t).start('--brokers', `127.0.0.1:${containersPort}`)
    assert.equal((await daemon.health()).log, 'kafka')
    assert.equal(await daemon.stop(), 0)
  })
})
