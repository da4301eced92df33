// A real schema registry for tests: Apicurio, which has Confluent's API, from Maven Central, once for a machine. It keeps
// its schemas in memory.
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const version = '2.6.13.Final'
const startTimeoutMs = 120_000
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export interface Registered {
  readonly type?: 'AVRO' | 'PROTOBUF' | 'JSON'
  readonly schema: string
  readonly references?: readonly { readonly name: string; readonly subject: string; readonly version: number }[]
}

export interface TestRegistry {
  readonly url: string
  /** Registers a version of a subject; its id. */
  register(subject: string, schema: Registered): Promise<number>
  /** SIGSTOP and SIGCONT: it is there and says nothing. */
  freeze(): void
  thaw(): void
  dispose(): Promise<void>
}

/** Registers hooks; the result gives the registry once tests run. */
export function useRegistry(): () => TestRegistry {
  let registry: TestRegistry | undefined
  before(async () => void (registry = await startRegistry()))
  after(() => registry?.dispose())
  return () => {
    if (registry === undefined) throw new Error('no test runs yet')
    return registry
  }
}

async function startRegistry(): Promise<TestRegistry> {
  const folder = await installRegistry()
  const jar = (await readdir(folder)).find((name) => name.endsWith('-runner.jar'))!
  const port = await freePort()
  const settings = [`-Dquarkus.http.port=${port}`, '-Dquarkus.http.host=127.0.0.1', '-Dquarkus.log.level=WARN']
  const java = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...settings, '-jar', join(folder, jar)]
  const child = spawn('java', java, { stdio: 'ignore' })
  const killNow = (): void => void child.kill('SIGKILL')
  process.on('exit', killNow)
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  for (const givenUpAt = Date.now() + startTimeoutMs; ; await pause(100)) {
    const isThere = await fetch(`${url}/subjects`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (isThere) break
    if (child.exitCode !== null || Date.now() > givenUpAt) throw new Error('the schema registry did not start')
  }
  return {
    url,
    async register(subject, { type = 'AVRO', schema, references = [] }) {
      const answer = await fetch(`${url}/subjects/${subject}/versions`, {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify({ schema, schemaType: type, references }),
      })
      const { id } = (await answer.json()) as { id?: number }
      if (id === undefined) throw new Error(`${subject} was refused: ${answer.status}`)
      return id
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async dispose() {
      process.removeListener('exit', killNow)
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** The folder is complete once it has its name. */
async function installRegistry(): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'dagger-worker')
  const folder = join(cache, `apicurio-${version}`)
  if (existsSync(folder)) return folder
  await mkdir(cache, { recursive: true })
  const partial = await mkdtemp(`${folder}-partial-`)
  try {
    const artifact = `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`
    await run('mvn', ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${partial}`])
    const [archive] = await readdir(partial)
    await run('tar', ['-xzf', join(partial, archive!), '-C', partial])
    await rm(join(partial, archive!))
    await rename(partial, folder)
  } catch (error) {
    if (!existsSync(folder)) {
      const cause =
        'The schema registry for the tests could not be fetched: that takes `mvn`, Java 17 and Maven Central'
      throw new Error(cause, { cause: error })
    }
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return folder
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return address.port
}
