import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ConfigError, type Problem } from '../../src/base/errors.ts'
import { configKeys } from '../../src/config/config-schema.ts'
import { type ConfigSources, loadConfig } from '../../src/config/worker-config.ts'

const directory = mkdtempSync(join(tmpdir(), 'dw-config-'))
after(() => rmSync(directory, { recursive: true }))
for (const folder of ['workflows', 'handlers', 'etc', 'etc/flows', 'here']) mkdirSync(join(directory, folder))

function load(sources: Partial<ConfigSources> = {}) {
  return loadConfig({ flags: {}, env: {}, workingDirectory: directory, ...sources })
}

function problemsOf(sources: Partial<ConfigSources>): readonly Problem[] {
  try {
    load(sources)
  } catch (error) {
    assert(error instanceof ConfigError)
    return error.problems
  }
  return []
}

function codesOf(sources: Partial<ConfigSources>): readonly string[] {
  return problemsOf(sources).map(({ code }) => code)
}

let files = 0
function file(text: string, extension = 'yaml'): string {
  const name = join('etc', `config-${++files}.${extension}`)
  writeFileSync(join(directory, name), text)
  return name
}

test('with nothing given, the defaults hold and paths are below the working directory', () => {
  assert.deepEqual(load(), {
    app: 'dagger',
    compression: 'none',
    workflows: join(directory, 'workflows'),
    client: 'platformatic',
    guarantee: 'exactly-once',
    kafkaTls: false,
    data: join(directory, '.dagger-worker'),
    host: '127.0.0.1',
    hostNames: [],
    stopDelayMs: 0,
    stopTimeoutMs: 20_000,
    port: 7070,
    partitions: 12,
    standby: 1,
    topics: new Map(),
    topicsCreate: true,
    updates: false,
    source: 'dagger',
    logLevel: 'info',
    handlersPerWorker: 64,
    httpAllow: [],
    otel: false,
  })
})

test('a flag wins over a variable, a variable over the file', () => {
  const config = load({
    file: file('port: 1\npartitions: 2\nhandlersPerWorker: 3\n'),
    env: { DAGGER_WORKER_PARTITIONS: '20', DAGGER_WORKER_HANDLERS_PER_WORKER: '30' },
    flags: { handlersPerWorker: '300' },
  })
  assert.deepEqual([config.port, config.partitions, config.handlersPerWorker], [1, 20, 300])
})

test('paths of the file are relative to the file, the others to the working directory', () => {
  const config = load({
    file: file('workflows: ./flows\ndata: ../kept\n'),
    env: { DAGGER_WORKER_HANDLERS: 'handlers' },
  })
  assert.equal(config.workflows, join(directory, 'etc/flows'))
  assert.equal(config.data, join(directory, 'kept'))
  assert.equal(config.handlers, join(directory, 'handlers'))
})

test('the file may be JSON, may name its schema, and may be named by DAGGER_WORKER_CONFIG', () => {
  const json = file('{ "$schema": "x", "topics": { "orders": { "partitions": 24 } }, "topicsCreate": false }', 'json')
  const config = load({ env: { DAGGER_WORKER_CONFIG: json } })
  assert.deepEqual(config.topics, new Map([['orders', { partitions: 24 }]]))
  assert.equal(config.topicsCreate, false)
  assert.equal('$schema' in config, false)
})

test('an empty file and empty variables set nothing', () => {
  assert.equal(load({ file: file('\n'), env: { DAGGER_WORKER_PORT: '' } }).port, 7070)
})

test('the source is the application unless it is named', () => {
  assert.equal(load({ flags: { app: 'shop' } }).source, 'shop')
  assert.equal(load({ flags: { app: 'shop', source: 'team-a' } }).source, 'team-a')
})

test('every problem of every layer is reported at once', () => {
  const problems = problemsOf({
    file: file('app: Shop\nprot: 1\npartitions: 0\n'),
    env: { DAGGER_WORKER_LOG_LEVEL: 'loud', DAGGER_WORKER_PRT: '1' },
    flags: { port: '65536', host: '' },
  })
  assert.deepEqual(
    problems.map(({ code, path }) => [code, path]),
    [
      ['DW_CONFIG_UNKNOWN', 'prot'],
      ['DW_CONFIG', 'app'],
      ['DW_CONFIG', 'partitions'],
      ['DW_CONFIG_UNKNOWN', 'DAGGER_WORKER_PRT'],
      ['DW_CONFIG', 'DAGGER_WORKER_LOG_LEVEL'],
      ['DW_CONFIG', '--host'],
      ['DW_CONFIG', '--port'],
    ],
  )
})

test('a problem of the file has its place, its frame and the nearest name', () => {
  const name = file('app: shop\nlogLevell: info\n')
  const [problem] = problemsOf({ file: name })
  assert.deepEqual(problem?.place, { file: name, line: 2, column: 1 })
  assert.equal(problem?.suggestion, 'logLevel')
  assert.match(problem?.frame ?? '', /> 2 \| logLevell: info/)
})

test('a value near a valid one is told its name', () => {
  assert.equal(problemsOf({ file: file('logLevel: wran\n') })[0]?.suggestion, 'warn')
  assert.equal(problemsOf({ env: { DAGGER_WORKER_PROT: '1' } })[0]?.suggestion, 'DAGGER_WORKER_PORT')
})

test('a number, a truth value or a topic that does not read as one is a problem', () => {
  for (const port of ['7070x', '-1', '1.5', '1e3', ' 7070', '99999999999999999999']) {
    assert.deepEqual(codesOf({ flags: { port } }), ['DW_CONFIG'], port)
  }
  assert.deepEqual(codesOf({ flags: { topicsCreate: 'yes' } }), ['DW_CONFIG'])
  assert.deepEqual(codesOf({ env: { DAGGER_WORKER_TOPICS: '{"orders":' } }), ['DW_CONFIG'])
  assert.deepEqual(codesOf({ env: { DAGGER_WORKER_TOPICS: '{"orders":{"partitions":0}}' } }), ['DW_CONFIG'])
  assert.deepEqual(codesOf({ env: { DAGGER_WORKER_TOPICS: '{"or ders":{"partitions":1}}' } }), ['DW_CONFIG'])
})

test('a file that is not there, not YAML, not an object or several documents is a problem', () => {
  assert.deepEqual(codesOf({ file: 'nowhere.yaml' }), ['DW_CONFIG_FILE'])
  assert.deepEqual(codesOf({ file: file('a: b: c') }), ['DW_YAML'])
  assert.deepEqual(codesOf({ file: file('- app') }), ['DW_CONFIG'])
  assert.deepEqual(codesOf({ file: file('app: a\n---\napp: b\n') }), ['DW_CONFIG_FILE'])
  assert.deepEqual(codesOf({ file: file('__proto__: { app: x }') }), ['DW_YAML'])
  assert.deepEqual(codesOf({ file: file('{ "constructor": 1 }', 'json') }), ['DW_CONFIG_UNKNOWN'])
})

test('directories that are not there are reported together, and data is not asked for', () => {
  const flags = { workflows: 'missing', handlers: 'missing-too', data: 'new' }
  assert.deepEqual(codesOf({ flags }), ['DW_CONFIG_DIRECTORY', 'DW_CONFIG_DIRECTORY'])
})

test('what Kubernetes sets for a service named dagger-worker is no configuration', () => {
  const env = {
    DAGGER_WORKER_SERVICE_HOST: '10.0.0.1',
    DAGGER_WORKER_SERVICE_PORT: '7070',
    DAGGER_WORKER_SERVICE_PORT_HTTP: '7070',
    DAGGER_WORKER_PORT: 'tcp://10.0.0.1:7070',
    DAGGER_WORKER_PORT_7070_TCP_ADDR: '10.0.0.1',
  }
  assert.equal(load({ env }).port, 7070)
})

test('every key of the schema is described and has an example', () => {
  const schema = JSON.parse(readFileSync(new URL('../../schemas/config.schema.json', import.meta.url), 'utf8'))
  assert.ok(configKeys.length > 10)
  for (const key of configKeys) {
    const { description, examples, title } = schema.properties[key]
    assert.ok(description.length > 20 && examples.length > 0 && title.length > 0, key)
  }
})

test('hosts that http tasks may call are a list in every layer, and each is looked at', () => {
  const { httpAllow } = load({ flags: { httpAllow: 'API.example.com, localhost:8080' } })
  assert.deepEqual(httpAllow, [
    { hostname: 'api.example.com', port: undefined },
    { hostname: 'localhost', port: '8080' },
  ])
  assert.equal(load({ env: { DAGGER_WORKER_HTTP_ALLOW: 'a' } }).httpAllow.length, 1)
  assert.equal(load({ file: file('httpAllow: "a,b"') }).httpAllow.length, 2)
  const problems = problemsOf({ flags: { httpAllow: 'https://a,b/c,d' } })
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['DW_CONFIG', 'DW_CONFIG'],
  )
})

test('the address of a schema registry holds no login, and the password has a variable of its own that is no setting', () => {
  const env = { DAGGER_WORKER_SCHEMA_REGISTRY_PASSWORD: 'secret' }
  const flags = { schemaRegistry: 'https://registry:8081/apis', schemaRegistryPasswordFile: 'etc/password' }
  const config = load({ flags, env })
  assert.equal(config.schemaRegistry, 'https://registry:8081/apis')
  assert.equal(config.schemaRegistryPasswordFile, join(directory, 'etc/password'))
  assert.ok(!JSON.stringify(config).includes('secret'))
  for (const address of ['http://user:secret@registry:8081', 'registry:8081', 'http://registry/?user=x'])
    assert.deepEqual(codesOf({ flags: { schemaRegistry: address } }), ['DW_CONFIG'], address)
})
