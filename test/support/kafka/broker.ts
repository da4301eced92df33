// A real broker for tests: one process, KRaft with the controller in it, free ports of 127.0.0.1, data in a temporary
// folder that goes when it is stopped. What it logs at WARN and above is in `kafka.log` in that folder.
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installKafka } from './install.ts'

const run = promisify(execFile)
const startTimeoutMs = 120_000
const lookAgainMs = 50

export interface KafkaBroker {
  /** "127.0.0.1:port", the same after a restart. */
  readonly address: string
  /** Where its jars are, for tests that run a Java client. */
  readonly jars: string
  readonly pid: number
  /** The addresses of its other listeners, by name. */
  readonly doors: ReadonlyMap<string, string>
  /** For a broker that joins it. */
  readonly cluster: { readonly id: string; readonly controllerPort: number }
  /** Ends it as an operator does; the data stays. */
  stop(): Promise<void>
  /** kill -9; the data stays. */
  kill(): Promise<void>
  /** SIGSTOP and SIGCONT: it is there and says nothing. */
  freeze(): void
  thaw(): void
  /** After `stop` or `kill`: resolves when it takes connections again. */
  start(): Promise<void>
  /** Kills it and removes its data. */
  dispose(): Promise<void>
}

/** Where a broker stands whose cluster is laid out before any of it is started. */
export interface BrokerPlace {
  readonly port: number
  readonly controllerPort: number
  readonly clusterId: string
  readonly javaOptions: readonly string[]
}

/** Beside the listener that anybody may come in by. */
export interface Doors {
  /** Listeners by name, each with its security protocol: { TLS: 'SSL' }. */
  readonly protocols: Readonly<Record<string, 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'>>
  /** Options of `format`: --add-scram and what it takes. */
  readonly format?: readonly string[]
}

/**
 * Starts a broker on an empty folder; `settings` are added to its server.properties.
 * @param joins the one whose cluster it is the second of @param place of one of several that begin together
 */
export async function startBroker(
  settings: Readonly<Record<string, string>> = {},
  joins?: KafkaBroker,
  { protocols, format: formatOptions = [] }: Doors = { protocols: {} },
  place?: BrokerPlace,
): Promise<KafkaBroker> {
  const jars = await installKafka()
  const folder = await mkdtemp(join(tmpdir(), 'dw-kafka-'))
  const names = Object.keys(protocols)
  const [freePort = 0, freeControllerPort = 0, ...doorPorts] = await freePorts(2 + names.length)
  const doors = new Map(names.map((name, at) => [name, `127.0.0.1:${doorPorts[at]}`]))
  const port = place?.port ?? freePort
  const clusterId = place?.clusterId ?? joins?.cluster.id ?? newClusterId()
  const controllerPort = place?.controllerPort ?? joins?.cluster.controllerPort ?? freeControllerPort
  const properties = join(folder, 'server.properties')
  const role = joins === undefined ? {} : asSecond(port)
  const own = defaults(folder, port, controllerPort)
  await writeFile(properties, lines({ ...own, ...role, ...withDoors(own, doors, protocols), ...settings }))
  const java = [...javaArguments(jars, folder), ...(place?.javaOptions ?? [])]
  const format = ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', properties, ...formatOptions] // it may begin with a dash
  await run('java', ['-XX:TieredStopAtLevel=1', ...java, ...format])

  let child: ChildProcess | undefined
  let isWanted = false
  // Whatever ends this process ends its broker: a broker that outlives the tests is found by nobody.
  const killNow = () => child?.kill('SIGKILL')
  process.on('exit', killNow)

  async function start(): Promise<void> {
    isWanted = true
    const started = spawn('java', [...java, 'kafka.Kafka', properties], { stdio: 'ignore' })
    child = started
    let hasExited = false
    started.once('exit', () => (hasExited = true))
    started.once('error', () => (hasExited = true))
    const givenUpAt = Date.now() + startTimeoutMs
    // Listeners open one after the other.
    const isUp = async () => (await Promise.all([port, ...doorPorts].map(takesConnections))).every(Boolean)
    while (!(await isUp())) {
      if (hasExited || Date.now() > givenUpAt) {
        started.kill('SIGKILL')
        const log = await readFile(join(folder, 'kafka.log'), 'utf8').catch(() => '(no log)')
        throw new Error(`Kafka did not start: that takes Java 17. Its log ends with:\n${log.slice(-2_000)}`)
      }
      await pause(lookAgainMs)
    }
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    isWanted = false
    const ending = child
    child = undefined
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return
    const ended = new Promise<void>((resolve) => ending.once('exit', () => resolve()))
    ending.kill(signal)
    await ended
  }

  await start()
  return {
    address: `127.0.0.1:${port}`,
    jars,
    doors,
    cluster: { id: clusterId, controllerPort },
    get pid() {
      if (child?.pid === undefined || !isWanted) throw new Error('the broker is stopped')
      return child.pid
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    start,
    async dispose() {
      process.removeListener('exit', killNow)
      await end('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function defaults(folder: string, port: number, controllerPort: number): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    // A transaction that timed out is aborted soon, so that a test need not wait for it.
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '200',
    // One that was killed is let back in soon.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'share.coordinator.state.topic.replication.factor': '1',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    // Small files: a test run makes hundreds of partitions.
    'log.segment.bytes': '16777216',
    'log.index.size.max.bytes': '65536',
    'log.cleaner.dedupe.buffer.size': '4194304',
  }
}

/** The listeners that are asked for, behind those there are. */
function withDoors(
  own: Readonly<Record<string, string>>,
  doors: ReadonlyMap<string, string>,
  protocols: Doors['protocols'],
): Record<string, string> {
  if (doors.size === 0) return {}
  const added = [...doors].map(([name, address]) => `,${name}://${address}`).join('')
  const secured = Object.entries(protocols).map(([name, protocol]) => `,${name}:${protocol}`)
  return {
    listeners: `${own['listeners']}${added}`,
    'advertised.listeners': `${own['advertised.listeners']}${added}`,
    'listener.security.protocol.map': `CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT${secured.join('')}`,
  }
}

/** No controller of its own. */
function asSecond(port: number): Record<string, string> {
  return { 'process.roles': 'broker', 'node.id': '2', listeners: `PLAINTEXT://127.0.0.1:${port}` }
}

function javaArguments(jars: string, folder: string): string[] {
  return [
    '-Xmx512m',
    '-XX:+UseSerialGC',
    `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'log4j2.properties')}`,
    `-Dkafka.log.file=${join(folder, 'kafka.log')}`,
    '-cp',
    join(jars, '*'),
  ]
}

const lines = (settings: Readonly<Record<string, string>>) =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

export const newClusterId = (): string => randomBytes(16).toString('base64url')

/** Ports that nobody listens on; held together, so that they differ. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(servers.map(portOf))
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return address.port
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
