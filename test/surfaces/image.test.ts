// The image: the Dockerfile is valid, holds what the package holds, and does what it says where its steps are done by hand
// (support/image.ts). There is no container engine in CI.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Server } from 'node:net'
import { join } from 'node:path'
import { after, before, suite, test, type TestContext } from 'node:test'
import { validate } from 'dockerfile-utils'
import { generate } from 'selfsigned'
import { Daemon } from '../support/daemon.ts'
import { Image, instructions, lastStage, theOnly } from '../support/image.ts'
import { freePorts } from '../support/kafka/broker.ts'
import { repository } from './checkout.ts'

const read = (file: string): string => readFileSync(join(repository, file), 'utf8')
const packageJson = JSON.parse(read('package.json'))

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

async function ended(child: ChildProcess): Promise<{ readonly code: number | null; readonly told: string }> {
  let told = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece) => (told += String(piece)))
  const [code] = await once(child, 'close')
  return { code, told }
}

suite('the Dockerfile', () => {
  test('is valid', () => {
    assert.deepEqual(validate(read('Dockerfile')), [])
  })

  test('is made of files that are there and that .dockerignore lets in', () => {
    const sent = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
    const own = instructions
      .filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from='))
      .flatMap(({ text }) => text.split(' ').slice(0, -1))
    assert.ok(own.length >= 8)
    assert.deepEqual([...new Set(own)].sort(), sent.map((line) => line.slice(1)).sort())
    for (const name of own) assert.equal(globSync(name, { cwd: repository }).length, 1, name)
  })

  test('has what the package has, besides its documents', () => {
    const { files }: { files: readonly string[] } = packageJson
    const copies = lastStage().filter(({ name }) => name === 'COPY')
    for (const name of files.filter((each) => !each.endsWith('.md'))) {
      assert.ok(
        copies.some(({ text }) => text.endsWith(` /app/${name}`)),
        name,
      )
    }
  })

  test('says of itself what the package says', () => {
    const labels = Object.fromEntries(
      [...theOnly('LABEL').matchAll(/org\.opencontainers\.image\.(\w+)="([^"]*)"/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    )
    const { name: title, version, description, license: licenses } = packageJson
    assert.deepEqual(labels, { title, version, description, licenses })
  })

  test('runs as a user without rights, whose number is known, with the settings that the program knows', () => {
    assert.match(theOnly('USER'), /^[1-9]\d*:[1-9]\d*$/)
    const settings = read('schemas/config.schema.json')
    for (const [, name = ''] of read('Dockerfile').matchAll(/DAGGER_WORKER_([A-Z_]+)=/g)) {
      assert.ok(settings.includes(`"${name.toLowerCase()}": {`), name)
    }
  })

  test('stands on a release line of Node, one for both stages, that the package takes', () => {
    const bases = instructions.filter(({ name }) => name === 'FROM').map(({ text }) => text.split(' ')[0])
    assert.deepEqual(new Set(bases).size, 1)
    assert.match(bases[0]!, /^node:24-slim$/)
  })
})

suite('the image', () => {
  let image: Image

  const health = (env: NodeJS.ProcessEnv) =>
    ended(image.exec(JSON.parse(theOnly('HEALTHCHECK').replace(/^.*? CMD /, '')), env))

  before(() => (image = Image.build()))
  after(() => image?.remove())

  /** Answers like a worker that is ready, or is not. */
  async function serveReady(
    t: TestContext,
    status: number,
    tls?: { readonly key: string; readonly cert: string },
  ): Promise<number> {
    const answer = (request: { readonly url?: string | undefined }): number =>
      request.url === '/service/ready' ? status : 404
    const server =
      tls === undefined
        ? createHttpServer((request, response) => response.writeHead(answer(request)).end())
        : createHttpsServer(tls, (request, response) => response.writeHead(answer(request)).end())
    t.after(() => server.close())
    return portOf(server)
  }

  test('runs workflows with handlers in TypeScript, writes to /data only, and ends by SIGTERM', async () => {
    mkdirSync(join(image.root, 'handlers'))
    writeFileSync(
      join(image.root, 'handlers/weigh.ts'),
      `import { TerminalFailure, type Handler } from 'dagger-worker'

export default (async ({ input }) => {
  if (input.weight > 30) throw new TerminalFailure('too heavy', { code: 'too-heavy' })
  return { grams: input.weight * 1_000 }
}) satisfies Handler<{ weight: number }, { grams: number }>
`,
    )
    writeFileSync(
      join(image.root, 'workflows/parcel.yaml'),
      'workflow: parcel\ntasks:\n  - { name: weigh, type: weigh, with: { weight: "${ input.weight }" } }\noutput:\n  grams: ${ tasks.weigh.output.grams }\n',
    )
    const [port] = await freePorts(1)
    const env = { DAGGER_WORKER_PORT: String(port), DAGGER_WORKER_HANDLERS: join(image.root, 'handlers') }
    assert.deepEqual((await health(env)).code, 1, 'unhealthy while nothing runs')
    const command: readonly string[] = JSON.parse(theOnly('CMD'))
    const daemon = new Daemon(image.run([...command, '--json-logs'], env))
    try {
      await daemon.ready()
      assert.equal((await health(env)).code, 0)
      const run = (weight: number) =>
        ended(
          image.exec(['dagger-worker', 'run', 'parcel', '--input', `{"weight":${weight}}`, '--server', daemon.url], {}),
        )
      const done = await run(2)
      assert.equal(done.code, 0, done.told)
      assert.match(done.told, /"grams": 2000/)
      const refused = await run(40)
      assert.equal(refused.code, 1, refused.told)
      assert.match(refused.told, /too-heavy/)
      const { uid } = statSync(join(image.root, 'data/log'))
      if (process.getuid?.() === 0) assert.equal(`${uid}:${uid}`, theOnly('USER'))
      assert.equal(await daemon.stop('SIGTERM'), 0)
      assert.equal((await health(env)).code, 1, 'unhealthy once it has ended')
    } finally {
      await daemon.kill()
    }
  })

  test('may not write to its own code', async () => {
    const write = "require('node:fs').writeFileSync(process.argv[1], '')"
    const refused = await ended(image.exec(['node', '-e', write, join(image.root, 'app/dist/main.js')], {}))
    assert.equal(refused.code, 1)
    assert.match(refused.told, /EACCES/)
  })

  test('is healthy if the worker is ready, with TLS too, and unhealthy if it is not', async (t) => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'a worker' }])
    const ports = {
      ready: await serveReady(t, 200),
      waiting: await serveReady(t, 503),
      secured: await serveReady(t, 200, { key, cert }),
    }
    assert.equal((await health({ DAGGER_WORKER_PORT: String(ports.ready) })).code, 0)
    assert.equal((await health({ DAGGER_WORKER_PORT: String(ports.waiting) })).code, 1)
    assert.equal((await health({ DAGGER_WORKER_PORT: String(ports.secured) })).code, 1)
    const tls = { DAGGER_WORKER_PORT: String(ports.secured), DAGGER_WORKER_TLS_CERT_FILE: '/etc/worker/tls.crt' }
    assert.equal((await health(tls)).code, 0)
  })

  test('has no development dependencies', async () => {
    const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8'))
    // One that a dependency of the package brings is there for that.
    const names = Object.keys(packageJson.devDependencies).filter((name) => lock.packages[`node_modules/${name}`].dev)
    assert.ok(names.length > 10)
    for (const name of names) {
      assert.equal(globSync(join('node_modules', name), { cwd: join(image.root, 'app') }).length, 0, name)
    }
  })
})
