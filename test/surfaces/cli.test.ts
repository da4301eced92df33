import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from '../../src/base/errors.ts'
import type { RunningWorker, StartOptions, Surroundings } from '../../src/cli/program.ts'
import type { WorkerConfig } from '../../src/config/worker-config.ts'
import { exitCodes } from '../../src/cli/exit-codes.ts'
import { commandLine } from '../support/command-line.ts'
import { FakeWorker } from '../support/fake-worker.ts'
import { until } from '../support/http.ts'

/** A `startWorker` that starts a fake one and remembers what it was told. */
function fakeStart(worker = new FakeWorker()) {
  const stopped = Promise.withResolvers<void>()
  const told: { config: WorkerConfig; options: StartOptions }[] = []
  let stops = 0
  const running: RunningWorker = {
    worker,
    url: 'http://127.0.0.1:7999',
    stopped: stopped.promise,
    async stop() {
      stops += 1
      stopped.resolve()
    },
  }
  const startWorker: Surroundings['startWorker'] = (config, options) => {
    told.push({ config, options })
    return Promise.resolve(running)
  }
  return { startWorker, told, worker, running, stopped, stops: () => stops }
}

const commands = [
  ['start'],
  ['validate'],
  ['graph'],
  ['run'],
  ['instances', 'list'],
  ['instances', 'show'],
  ['workflows', 'list'],
  ['workflows', 'show'],
  ['workflows', 'versions'],
  ['produce'],
  ['consume'],
  ['topics', 'list'],
  ['topics', 'create'],
  ['demo'],
  ['bench'],
]

test('the help names every command and every exit code', async (t) => {
  const { code, stdout } = await commandLine(t).type('--help')
  assert.equal(code, 0)
  for (const [command] of commands) assert.match(stdout, new RegExp(`^  ${command}\\b`, 'm'))
  assert.match(stdout, /Exit codes:\n {2}0 /)
})

test('the help of every command has an example', async (t) => {
  for (const command of commands) {
    const { code, stdout } = await commandLine(t).type(...command, '--help')
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`Examples?:\\n.*dagger-worker ${command.join(' ')}`, 's'))
  }
})

test('--version is the version of the package', async (t) => {
  assert.deepEqual(await commandLine(t).type('--version'), { code: 0, stdout: '1.2.3\n', stderr: '' })
})

test('an unknown command or option, a missing argument or a bad value is a usage error', async (t) => {
  const shell = commandLine(t)
  const mistakes = [
    ['strat'],
    ['start', '--nope'],
    ['run'],
    ['consume', 'orders', '--from', 'yesterday'],
    ['consume', 'orders', '--limit', '0'],
    ['produce', 'orders', '--value', '1', '--file', 'x'],
    ['produce', 'orders', '--value', '1', '--header', 'novalue'],
    ['produce', 'orders'],
    ['instances', 'list', '--status', 'DONE'],
    ['topics', 'list', '--server', 'ftp://x'],
  ]
  for (const mistake of mistakes) {
    const { code, stderr } = await shell.type(...mistake)
    assert.equal(code, 2, mistake.join(' '))
    assert.match(stderr, /^error: /)
  }
  assert.match((await shell.type('strat')).stderr, /Did you mean start\?/)
})

test('start reports what it found and where it listens, then stops on a signal', async (t) => {
  const fake = fakeStart()
  const shell = commandLine(t, fake)
  mkdirSync(join(shell.directory, 'workflows'))
  const result = shell.type('start', '--port', '0', '--handlers-per-worker', '5')
  await until(() => shell.stdout() !== '')
  const report = shell.stdout()
  assert.match(report, /dagger-worker 1\.2\.3 is running: application dagger on the memory log/)
  assert.match(report, /URL +http:\/\/127\.0\.0\.1:7999/)
  assert.match(report, /workflows +2 from /)
  assert.match(report, /order@3f9c2a1b +starts on orders/)
  assert.match(report, /dagger-worker produce orders --key .* --server http:\/\/127\.0\.0\.1:7999/)
  shell.signal('SIGTERM')
  assert.equal((await result).code, 0)
  assert.equal(fake.stops(), 1)
  assert.equal(shell.hasSignalListeners(), false)
  const { config, options } = fake.told[0]!
  assert.deepEqual([config.port, config.handlersPerWorker, options.jsonLogs], [0, 5, false])
})

test('the second signal ends a worker that stops slowly at once', async (t) => {
  const fake = fakeStart()
  const shell = commandLine(t, {
    startWorker: async () => ({ ...fake.running, stop: () => fake.stopped.promise }),
  })
  mkdirSync(join(shell.directory, 'workflows'))
  const result = shell.type('start')
  await until(() => shell.stdout() !== '')
  shell.signal('SIGINT')
  assert.deepEqual(shell.exits, [])
  shell.signal('SIGINT')
  assert.deepEqual(shell.exits, [130])
  fake.stopped.resolve()
  await result
})

test('a worker that does not come to its end in time is left, with an exit code of its own', async (t) => {
  const fake = fakeStart()
  const shell = commandLine(t, { startWorker: async () => ({ ...fake.running, stop: () => new Promise(() => {}) }) })
  mkdirSync(join(shell.directory, 'workflows'))
  const result = shell.type('start', '--stop-delay', '5ms', '--stop-timeout', '10ms')
  await until(() => shell.stdout() !== '')
  shell.signal('SIGTERM')
  const { code, stderr } = await result
  assert.deepEqual([code, shell.exits], [4, [4]])
  assert.match(stderr, /Not all was finished within 0\.015 s: it ends now\. Nothing is lost/)
})

test('a signal while it is starting ends it at once', async (t) => {
  const fake = fakeStart()
  const started = Promise.withResolvers<void>()
  const shell = commandLine(t, { startWorker: () => started.promise.then(() => fake.running) })
  mkdirSync(join(shell.directory, 'workflows'))
  const result = shell.type('start')
  await until(shell.hasSignalListeners)
  shell.signal('SIGTERM')
  assert.deepEqual([shell.exits, fake.stops()], [[130], 0])
  started.resolve()
  await until(() => shell.stdout() !== '')
  shell.signal('SIGTERM')
  assert.equal((await result).code, 0)
})

test('a worker that ends by a fault ends the command with its cause', async (t) => {
  const fake = fakeStart()
  const shell = commandLine(t, fake)
  mkdirSync(join(shell.directory, 'workflows'))
  const result = shell.type('start')
  await until(() => shell.stdout() !== '')
  fake.stopped.reject(new Error('the disk is gone'))
  const { code, stderr } = await result
  assert.equal(code, 1)
  assert.match(stderr, /the disk is gone/)
})

test('start shows problems of files with their frames and runs on', async (t) => {
  const fake = fakeStart()
  const shell = commandLine(t, fake)
  const directory = join(shell.directory, 'workflows')
  mkdirSync(directory)
  fake.worker.setView({
    workflows: [],
    definitionProblems: [
      {
        code: 'DW_UNKNOWN_TASK',
        message: 'unknown task `chrage`',
        place: { file: join(directory, 'a.yaml'), line: 4, column: 9 },
        suggestion: 'charge',
        frame: '> 4 | dependsOn: [chrage]',
      },
    ],
  })
  const result = shell.type('start')
  await until(() => shell.stdout() !== '')
  const report = shell.stdout()
  assert.match(report, /^workflows\/a\.yaml:4:9 {2}DW_UNKNOWN_TASK/)
  assert.match(report, /Did you mean "charge"\?/)
  assert.match(report, /> 4 \| dependsOn: \[chrage\]/)
  assert.match(report, /workflows +none in .* is valid yet/)
  shell.signal('SIGINT')
  assert.equal((await result).code, 0)
})

test('start --json-logs gives one JSON line to programs', async (t) => {
  const fake = fakeStart()
  const shell = commandLine(t, fake)
  mkdirSync(join(shell.directory, 'workflows'))
  const result = shell.type('start', '--json-logs')
  await until(() => shell.stdout() !== '')
  const report = JSON.parse(shell.stdout())
  assert.deepEqual([report.url, report.app, report.workflows.length], ['http://127.0.0.1:7999', 'dagger', 2])
  assert.equal(fake.told[0]?.options.jsonLogs, true)
  shell.signal('SIGINT')
  await result
})

test('configuration or surroundings that cannot be used are a usage error, all of it at once', async (t) => {
  const shell = commandLine(t, {
    startWorker: () => Promise.reject(new ConfigError([{ code: 'DW_PORT_IN_USE', message: 'Port 7070 is in use.' }])),
  })
  const { code, stderr } = await shell.type('start', '--port', 'x', '--log-level', 'loud')
  assert.equal(code, 2)
  assert.match(stderr, /--port {2}DW_CONFIG/)
  assert.match(stderr, /--log-level {2}DW_CONFIG/)
  assert.match(stderr, /2 problems/)
  mkdirSync(join(shell.directory, 'workflows'))
  const inUse = await shell.type('start')
  assert.equal(inUse.code, 2)
  assert.match(inUse.stderr, /DW_PORT_IN_USE/)
})

const orderFile = readFileSync(new URL('../../workflows/order.yaml', import.meta.url), 'utf8')

test('validate accepts good files and says what it found', async (t) => {
  const shell = commandLine(t)
  mkdirSync(join(shell.directory, 'workflows'))
  writeFileSync(join(shell.directory, 'workflows', 'order.yaml'), orderFile)
  const { code, stdout } = await shell.type('validate')
  assert.equal(code, 0, stdout)
  assert.match(stdout, /^ok {2}order@[0-9a-f]{8} +7 tasks +starts on orders$/m)
  assert.match(stdout, /1 file, 1 workflow: no problems/)
})

test('validate reports every problem of every file with place and frame', async (t) => {
  const shell = commandLine(t)
  writeFileSync(join(shell.directory, 'good.yaml'), orderFile)
  writeFileSync(join(shell.directory, 'bad.yaml'), 'workflow: bad\ntasks:\n  - name: a\n    type: sett\n    sat: {}\n')
  writeFileSync(join(shell.directory, 'worse.yaml'), 'workflow: [\n')
  const { code, stdout } = await shell.type('validate', '.')
  assert.equal(code, 1)
  assert.match(stdout, /^bad\.yaml:\d+:\d+ {2}DW_/m)
  assert.match(stdout, /^worse\.yaml:\d+:\d+ {2}DW_YAML/m)
  assert.match(stdout, /\^/)
  assert.match(stdout, /3 files, 1 workflow: \d+ problems/)
  const json = JSON.parse((await shell.type('validate', 'bad.yaml', 'good.yaml', '--json')).stdout)
  assert.equal(json.files.length, 2)
  assert.equal(json.workflows[0].name, 'order')
  assert.ok(json.problems.length > 0 && json.problems[0].line > 0)
})

const careful = `workflow: careful
tasks:
  - { name: ship, type: book, with: { id: "\${ instance.key }", wieght: 2 } }
  - { name: more, type: workflow, workflow: carfeul }
`

test('validate --json is one document for CI: places by line and column, warnings apart, exit codes as without it', async (t) => {
  const input = {
    type: 'object',
    required: ['id', 'weight'],
    properties: { id: {}, weight: {} },
    additionalProperties: false,
  }
  const handlers = { names: ['book'], find: () => ({ input: { schema: input } }) }
  const shell = commandLine(t, { loadHandlers: () => Promise.resolve(handlers) })
  writeFileSync(join(shell.directory, 'careful.yaml'), careful)
  const without = await shell.type('validate', 'careful.yaml', '--json')
  const { warnings, workflows, ...rest } = JSON.parse(without.stdout)
  assert.equal(without.stdout.trim().split('\n').length, 1)
  assert.deepEqual([without.code, rest, workflows.length], [0, { files: ['careful.yaml'], problems: [] }, 1])
  assert.equal(warnings.length, 1)
  const { message, ...warning } = warnings[0]
  assert.match(message, /`carfeul`/)
  assert.deepEqual(warning, {
    code: 'DW_UNKNOWN_WORKFLOW',
    file: 'careful.yaml',
    line: 4,
    column: 45,
    path: 'tasks[1].workflow',
    suggestion: 'careful',
  })
  const checked = await shell.type('validate', 'careful.yaml', '--handlers', 'h', '--json')
  assert.equal(checked.code, 1)
  const { problems } = JSON.parse(checked.stdout)
  assert.deepEqual(
    problems.map((problem: { [key: string]: unknown }) => [
      problem['code'],
      problem['file'],
      problem['line'],
      problem['column'],
      problem['path'],
      problem['suggestion'],
    ]),
    [
      ['DW_HANDLER_INPUT', 'careful.yaml', 3, 37, 'tasks[0].with', undefined],
      ['DW_HANDLER_INPUT', 'careful.yaml', 3, 64, 'tasks[0].with.wieght', 'weight'],
    ],
  )
  const { code, stdout } = await shell.type('validate', 'careful.yaml')
  assert.equal(code, 0)
  assert.match(stdout, /^careful\.yaml:4:45 {2}warning DW_UNKNOWN_WORKFLOW/m)
  assert.match(stdout, /1 file, 1 workflow: no problems, 1 warning/)
})

test('validate knows the handlers when it is told where they are', async (t) => {
  const handlers = { names: ['book-shipment'], find: () => ({}) }
  const shell = commandLine(t, { loadHandlers: () => Promise.resolve(handlers) })
  writeFileSync(join(shell.directory, 'a.yaml'), 'workflow: a\ntasks:\n  - name: ship\n    type: bok-shipment\n')
  assert.equal((await shell.type('validate', 'a.yaml')).code, 0)
  const { code, stdout } = await shell.type('validate', 'a.yaml', '--handlers', 'handlers')
  assert.equal(code, 1)
  assert.match(stdout, /DW_UNKNOWN_TASK_TYPE/)
  assert.match(stdout, /Did you mean "book-shipment"\?/)
})

test('validate reports broken handlers together with the files, and finding no file at all is a failure', async (t) => {
  const shell = commandLine(t, {
    loadHandlers: () => Promise.reject(new ConfigError([{ code: 'DW_HANDLER_IMPORT', message: 'a.ts is broken' }])),
  })
  mkdirSync(join(shell.directory, 'empty'))
  writeFileSync(join(shell.directory, 'worse.yaml'), 'workflow: [\n')
  const { code, stdout } = await shell.type('validate', 'worse.yaml', 'missing', '--handlers', 'h')
  assert.equal(code, 1)
  for (const part of ['DW_HANDLER_IMPORT', 'DW_YAML', 'DW_WORKFLOWS_NOT_FOUND']) assert.ok(stdout.includes(part), part)
  assert.equal((await shell.type('validate', 'empty')).code, 1)
})

test('colours come on a terminal only; NO_COLOR takes them away, FORCE_COLOR brings them elsewhere', async (t) => {
  const isColoured = async (isTTY: boolean, env: { readonly [name: string]: string } = {}): Promise<boolean> =>
    (await commandLine(t, { isTTY, env }).type('start', '--port', 'x')).stderr.includes('\u001b[')
  assert.equal(await isColoured(true), true)
  assert.equal(await isColoured(true, { NO_COLOR: '1' }), false)
  assert.equal(await isColoured(true, { NO_COLOR: '' }), true)
  assert.equal(await isColoured(true, { TERM: 'dumb' }), false)
  assert.equal(await isColoured(false), false)
  assert.equal(await isColoured(false, { FORCE_COLOR: '1' }), true)
  assert.equal(await isColoured(true, { FORCE_COLOR: '0' }), false)
  assert.equal(await isColoured(false, { FORCE_COLOR: '1', NO_COLOR: '1' }), false)
})

test('the help names every exit code', async (t) => {
  const { stdout } = await commandLine(t).type('--help')
  const told = [...stdout.slice(stdout.indexOf('Exit codes:')).matchAll(/^ {2}(\d+) /gm)].map(([, code]) =>
    Number(code),
  )
  assert.deepEqual(told, Object.values(exitCodes))
})
