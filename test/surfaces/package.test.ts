// What is published: packed as npm packs it, installed by npm into an empty folder, with its dependencies from the
// registry, and used from there. Without a registry this fails; it is never skipped.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { Daemon } from '../support/daemon.ts'
import { makeCheckout, npmEnvironment, repository, strangersEnvironment, type Checkout } from './checkout.ts'
import { stepsOf } from './readme-steps.ts'

const read = (file: string): string => readFileSync(join(repository, file), 'utf8')

suite('the published package', () => {
  let checkout: Checkout
  let project = ''
  let installed = ''
  let program = ''
  let npmSaid = ''

  function run(command: string, ...argv: readonly string[]) {
    const { status, stdout, stderr } = spawnSync(command, argv, {
      cwd: project,
      env: strangersEnvironment(),
      encoding: 'utf8',
      timeout: 120_000,
    })
    return { status, told: `${stdout}\n${stderr}` }
  }

  /** By the link that npm has made; npx itself, which finds it, takes as long as all the rest of a command. */
  const type = (...argv: readonly string[]) => run(program, ...argv)

  /** Checks files as a user's compiler does. */
  function compile(...include: readonly string[]) {
    const compilerOptions = {
      target: 'es2024',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      erasableSyntaxOnly: true,
      exactOptionalPropertyTypes: true,
      types: ['node'],
      typeRoots: [join(repository, 'node_modules/@types')],
    }
    save('tsconfig.json', JSON.stringify({ compilerOptions, include }))
    return run(process.execPath, join(repository, 'node_modules/typescript/bin/tsc'), '-p', '.')
  }

  function save(file: string, text: string): void {
    mkdirSync(dirname(join(project, file)), { recursive: true })
    writeFileSync(join(project, file), text)
  }

  before(() => {
    checkout = makeCheckout()
    project = join(checkout.directory, '../project')
    installed = join(project, 'node_modules/dagger-worker')
    program = join(project, 'node_modules/.bin/dagger-worker')
    mkdirSync(project)
    const npm = (cwd: string, ...argv: readonly string[]) =>
      spawnSync('npm', argv, { cwd, env: npmEnvironment(), encoding: 'utf8', timeout: 300_000 })
    const packed = npm(checkout.directory, 'pack', '--pack-destination', join(project, '..'))
    assert.equal(packed.status, 0, packed.stderr)
    const [tarball = ''] = globSync('*.tgz', { cwd: join(project, '..') })
    const { status, stdout, stderr } = npm(
      project,
      'install',
      '--no-fund',
      '--no-audit',
      // A registry that is away is told soon; the least is ten seconds otherwise, which is more than the most.
      '--fetch-retry-mintimeout=1000',
      '--fetch-retry-maxtimeout=5000',
      join('..', tarball),
    )
    npmSaid = stderr
    assert.equal(status, 0, `npm could not install the package: is its registry there?\n${stdout}${stderr}`)
    save('package.json', '{ "type": "module" }')
  })

  after(() => checkout.remove())

  test('holds what runs and what is read, and no sources or tests', () => {
    assert.deepEqual(readdirSync(installed).sort(), [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin',
      'dist',
      'package.json',
      'schemas',
      'workflows',
    ])
    const compiled = globSync('**/*.ts', { cwd: join(installed, 'dist') })
    assert.ok(compiled.includes('index.d.ts'))
    assert.deepEqual(
      compiled.filter((file) => !file.endsWith('.d.ts')),
      [],
    )
  })

  test('is installed without a word of deprecated, unfit or clashing dependencies', () => {
    // That native dependencies have install scripts is all that npm may say. Without them they take what they ship.
    const warnings = npmSaid.split('\n').filter((line) => /^npm warn (?!install-scripts)/i.test(line))
    assert.deepEqual(warnings, [])
  })

  test('runs the example', () => {
    const { status, told } = run('npx', 'dagger-worker', 'demo', '--orders', '3', '--exit')
    assert.equal(status, 0, told)
    assert.match(told, /2 completed, 1 with an incident \(planned/)
  })

  test('carries an order by hand, from the command line, to its end', async () => {
    const flags = ['--workflows', join(installed, 'workflows'), '--port', '0', '--json-logs']
    const daemon = new Daemon(spawn(program, ['start', ...flags], { cwd: project, env: strangersEnvironment() }))
    try {
      await daemon.ready()
      const produced = [
        ['orders', '{"orderId":"o-1","amount":12.5}'],
        ['payment-events', '{"orderId":"o-1","status":"paid"}'],
        ['warehouse-events', '{"orderId":"o-1","tracking":"T-42"}'],
      ] as const
      for (const [topic, value] of produced) {
        const { status, told } = type('produce', topic, '--value', value, '--server', daemon.url)
        assert.equal(status, 0, told)
        if (topic === 'orders') await daemon.instance('order', 'o-1', () => true)
      }
      const { status, told } = type('instances', 'show', 'order/o-1', '--follow', '--server', daemon.url)
      assert.equal(status, 0, told)
      assert.match(told, /^COMPLETED in /m)
      assert.match(told, /"tracking": "T-42"/)
      assert.equal(await daemon.stop(), 0)
    } finally {
      await daemon.kill()
    }
  })

  test('finds its schemas, by their names too', () => {
    save(
      'schemas.mjs',
      "for (const name of ['workflow', 'config', 'updates/update', 'updates/task']) import.meta.resolve(`dagger-worker/schemas/${name}.schema.json`)",
    )
    assert.equal(run(process.execPath, 'schemas.mjs').status, 0)
    const { status, told } = type('validate', join(installed, 'workflows'))
    assert.equal(status, 0, told)
    save('workflows/wrong.yaml', 'workflow: wrong\ntask: []\n')
    const wrong = type('validate', 'workflows', '--json')
    assert.equal(wrong.status, 1)
    assert.match(wrong.told, /"DW_UNKNOWN_KEY"/)
  })

  test('types the handlers of its users, and gives them its failures', () => {
    save(
      'handlers/charge.ts',
      `import { RetryableFailure, TerminalFailure, type Handler } from 'dagger-worker'

export const input = { type: 'object' }

export default (async ({ input, attempt, signal, logger, heartbeat, idempotencyKey, instance }) => {
  if (input.amount > 1_000) throw new TerminalFailure('too much', { code: 'too-much' })
  if (signal.aborted || attempt > 3) throw new RetryableFailure('later', { afterMs: 1_000 })
  logger.info({ instanceId: instance.id }, 'charged')
  heartbeat({ at: 1 })
  return { receipt: idempotencyKey }
}) satisfies Handler<{ amount: number }, { receipt: string }>
`,
    )
    save(
      'wrong.ts',
      `import type { Handler } from 'dagger-worker'

// @ts-expect-error The output is not what it says.
export const output = (() => ({ receipt: 1 })) satisfies Handler<{ amount: number }, { receipt: string }>
// @ts-expect-error There is no such input.
export const input = (({ input }) => input.total) satisfies Handler<{ amount: number }>
`,
    )
    const checked = compile('handlers', 'wrong.ts')
    assert.equal(checked.status, 0, checked.told)
    save('flows/pay.yaml', 'workflow: pay\ntasks:\n  - { name: pay, type: charge, with: { amount: 1 } }\n')
    const { status, told } = type('validate', 'flows', '--handlers', 'handlers')
    assert.equal(status, 0, told)
  })

  test('runs a worker in a process of its users, as the README has it', () => {
    for (const step of stepsOf(read('README.md')))
      if (step.kind === 'save' && ['embed.mjs', 'flows/leave.yaml'].includes(step.file)) save(step.file, step.text)
    const { status, told } = run(process.execPath, 'embed.mjs')
    assert.equal(status, 0, told)
    assert.match(
      told,
      /^1 dagger-worker\.instance\.started payroll$[^]*^3 .*\.operated ann$[^]*^5 .*\.completed[^]*^COMPLETED$/m,
    )
  })

  test('types what embedders are given', () => {
    save(
      'embedder.ts',
      `import { startWorker, Unavailable, type EmbeddedWorker, type Update, type WorkerSettings } from 'dagger-worker'

const settings: WorkerSettings = { workflows: 'flows', port: 0, updates: true, topics: { orders: { partitions: 3 } } }
const seen: Update[] = []
const worker: EmbeddedWorker = await startWorker(settings, { onUpdate: (update) => seen.push(update) })
const answer = await worker.startInstance({ workflow: 'leave', input: { days: 3 } })
if (answer.outcome === 'started') await worker.operateInstance(answer.instanceId, { kind: 'suspend' }, 'ann')
export const tasks: (string | undefined)[] = seen.map(({ data }) => data.task)
export const isElsewhere = (error: unknown): boolean => error instanceof Unavailable && error.code === 'not-ready'
// @ts-expect-error There is no such setting.
await startWorker({ workflow: 'flows' })
// @ts-expect-error There is no such action.
await worker.operateInstance('id', { kind: 'explode' }, 'ann')
`,
    )
    const checked = compile('embedder.ts')
    assert.equal(checked.status, 0, checked.told)
  })
})
