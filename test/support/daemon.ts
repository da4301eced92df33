// The daemon as a user runs it: `node bin/dagger-worker.js start …` as a child process, with its workflows, handlers and
// data in a directory of its own. It is killed, restarted and stopped here, and asked over HTTP or by the command line.
//
// Nothing is left behind: what still runs when a test, or the process that runs it, ends is killed, and the directory is
// removed. Times here are real, so everything that is waited for has a bound, and what did not come is told with the
// daemon's own last words.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Json } from '../../src/base/json.ts'
import { ApiProblem, Calls } from '../../src/cli/calls.ts'
import { Client } from '../../src/cli/client.ts'
import type { InstanceView, RecordView, WorkerView } from '../../src/runtime/face.ts'
import type { Typed } from './command-line.ts'

const program = fileURLToPath(new URL('../../bin/dagger-worker.js', import.meta.url))
/** Of two flags of one name the later one counts. */
const usualFlags = [
  '--workflows',
  'workflows',
  '--handlers',
  'handlers',
  '--data',
  'data',
  '--port',
  '0',
  '--partitions',
  '4',
]
const readyWithinMs = 120_000
const stopWithinMs = 20_000
const settledWithinMs = 60_000
const lookEveryMs = 25

/** A partition that moves is asked again. */
function isMoving(error: unknown): undefined {
  if (!(error instanceof ApiProblem && error.code === 'not-ready')) throw error
}

const running = new Set<ChildProcess>()
const killAll = (): void => {
  for (const child of running) child.kill('SIGKILL')
}
process.on('exit', killAll)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    killAll()
    process.exit(1)
  })
}

/** What `start --json-logs` says on stdout once it is ready. */
export type StartReport = { readonly url: string; readonly data: string } & Pick<
  WorkerView,
  'app' | 'workflows' | 'definitionProblems' | 'problems'
>

/** A line of the log. */
export interface LogLine {
  readonly level: string
  readonly msg: string
  readonly [field: string]: Json
}

/** It ended instead of becoming ready. */
export class NotStarted extends Error {
  readonly code: number | null
  readonly stderr: string
  constructor(code: number | null, stderr: string) {
    super(`the daemon ended with ${code} before it was ready:\n${stderr}`)
    this.code = code
    this.stderr = stderr
  }
}

/** A place that a daemon lives in: files as a user would lay them out. */
export class Site {
  readonly directory: string
  /** Beside the variables of this process. */
  readonly env: { [name: string]: string } = {}
  readonly #daemons: Daemon[] = []

  constructor(directory = mkdtempSync(join(tmpdir(), 'dw-e2e-'))) {
    this.directory = directory
    for (const folder of ['workflows', 'handlers']) mkdirSync(join(directory, folder), { recursive: true })
  }

  /** A site that goes with its test; files by their path in it. */
  static of(t: TestContext, files: { readonly [path: string]: string } = {}): Site {
    const site = new Site()
    t.after(() => site.close())
    for (const [path, text] of Object.entries(files)) site.write(path, text)
    return site
  }

  write(path: string, text: string): void {
    const file = join(this.directory, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  remove(path: string): void {
    rmSync(join(this.directory, path))
  }

  /** Starts the daemon and resolves when it is ready. @throws {NotStarted} */
  async start(...flags: readonly string[]): Promise<Daemon> {
    const daemon = this.launch(...flags)
    await daemon.ready()
    return daemon
  }

  /** Starts the daemon and waits for nothing; flags that are given replace the usual ones. */
  launch(...flags: readonly string[]): Daemon {
    const daemon = new Daemon(this.#spawn(['start', '--json-logs', ...usualFlags, ...flags]))
    this.#daemons.push(daemon)
    return daemon
  }

  /** Runs a command to its end, as typed in a terminal. `input` is what is piped in. */
  async type(...argv: readonly string[]): Promise<Typed> {
    const child = this.#spawn(argv)
    let stdout = ''
    let stderr = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    return { code: code ?? -1, stdout, stderr }
  }

  /** Kills what still runs and removes the directory. */
  async close(): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon.kill()))
    rmSync(this.directory, { recursive: true, force: true })
  }

  #spawn(argv: readonly string[]): ChildProcess {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DAGGER_WORKER_')))
    // What marks a child of the test runner is not for the daemon.
    delete env['NODE_TEST_CONTEXT']
    const child = spawn(process.execPath, [program, ...argv], {
      cwd: this.directory,
      env: { ...env, NO_COLOR: '1', ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(child)
    child.once('exit', () => running.delete(child))
    return child
  }
}

export class Daemon {
  readonly log: LogLine[] = []
  readonly #child: ChildProcess
  readonly #exited: Promise<number | null>
  readonly #reported = Promise.withResolvers<StartReport>()
  #stderr = ''
  #report: StartReport | undefined
  #client: Client | undefined

  constructor(child: ChildProcess) {
    this.#child = child
    this.#exited = new Promise((resolve) => child.once('close', (code) => resolve(code)))
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (line.startsWith('{')) this.#reported.resolve(JSON.parse(line) as StartReport)
    })
    createInterface({ input: child.stderr! }).on('line', (line) => {
      this.#stderr += `${line}\n`
      if (line.startsWith('{"level"')) this.log.push(JSON.parse(line) as LogLine)
    })
  }

  /** Resolves when it is ready. @throws {NotStarted} */
  async ready(): Promise<void> {
    const ended = this.#exited.then((code) => Promise.reject(new NotStarted(code, this.#stderr)))
    this.#report = await within(readyWithinMs, Promise.race([this.#reported.promise, ended]), () => this.#lastWords())
    this.#client = new Client(new Calls(this.#report.url))
  }

  get report(): StartReport {
    if (this.#report === undefined) throw new Error('the daemon is not ready')
    return this.#report
  }

  get url(): string {
    return this.report.url
  }

  get client(): Client {
    if (this.#client === undefined) throw new Error('the daemon is not ready')
    return this.#client
  }

  get pid(): number {
    return this.#child.pid!
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  async health(): Promise<WorkerView> {
    const response = await fetch(`${this.url}/health`)
    return (await response.json()) as WorkerView
  }

  /** A counter of `GET /health`; 0 where it never counted. */
  async counter(name: string): Promise<number> {
    return (await this.health()).counters[name] ?? 0
  }

  /** Produces one record and gives its place. */
  async produce(topic: string, key: string, value: Json, partition?: number): Promise<string> {
    const record = { key, value, ...(partition === undefined ? {} : { partition }) }
    const [offset] = await this.client.produce(topic, [record])
    if (offset?.error !== null) throw new Error(`${topic} refused the record: ${offset?.error}`)
    return `${topic}/${offset.partition}@${offset.offset}`
  }

  /** Every record of a topic, partition by partition. */
  async records(topic: string): Promise<readonly RecordView[]> {
    const found = (await this.client.listTopics()).find(({ name }) => name === topic)
    const records: RecordView[] = []
    for (const { partition, earliest, end } of found?.partitions ?? []) {
      for (let offset = earliest; offset < end;) {
        const page = await this.client.records(topic, partition, { offset, limit: 1_000, waitMs: 0 })
        records.push(...page.records)
        offset = page.nextOffset
      }
    }
    return records
  }

  /** The latest instance of a key, once `isSo`; by default once it has ended or has an incident. */
  async instance(workflow: string, key: string, isSo = hasSettled): Promise<InstanceView> {
    return this.until(
      async () => {
        const instance = await this.client.findInstanceByKey(workflow, key).catch(isMoving)
        return instance !== undefined && isSo(instance) ? instance : undefined
      },
      () => this.client.findInstanceByKey(workflow, key).catch(isMoving),
    )
  }

  /** What `probe` gives once it gives something. @throws Error with what `show` gives, and the log's end, when that takes too long. */
  async until<Found>(probe: () => Promise<Found | undefined>, show?: () => Promise<unknown>): Promise<Found> {
    for (const endMs = Date.now() + settledWithinMs; Date.now() < endMs; await pause(lookEveryMs)) {
      const found = await probe()
      if (found !== undefined) return found
    }
    throw new Error(`it did not come about: ${JSON.stringify(await show?.(), null, 1)}\n${this.#lastWords()}`)
  }

  /** kill -9; resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#client?.close()
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  /** Sends a signal and waits for nothing. */
  signal(name: 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name)
  }

  /** Gives the exit code once it has ended by itself, or by a signal that was sent. */
  async ended(): Promise<number | null> {
    return within(stopWithinMs, this.#exited, () => this.#lastWords())
  }

  /** Stops as Ctrl-C does, or as a service manager does by SIGTERM; gives the exit code. */
  async stop(signal: 'SIGINT' | 'SIGTERM' = 'SIGINT'): Promise<number | null> {
    this.#client?.close()
    this.#child.kill(signal)
    return within(stopWithinMs, this.#exited, () => this.#lastWords())
  }

  #lastWords(): string {
    return `the daemon's last words:\n${this.#stderr.slice(-4_000)}`
  }
}

/** True once an instance has ended or waits for a person. */
export function hasSettled({ status, incidents }: InstanceView): boolean {
  return status === 'COMPLETED' || status === 'FAILED' || status === 'STOPPED' || incidents > 0
}

async function within<Result>(ms: number, result: Promise<Result>, show: () => string): Promise<Result> {
  const cancelled = new AbortController()
  const late = pause(ms, undefined, { signal: cancelled.signal }).then(() => {
    throw new Error(`nothing for ${ms} ms; ${show()}`)
  })
  try {
    return await Promise.race([result, late])
  } finally {
    cancelled.abort()
  }
}
