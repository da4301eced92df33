// What is published: packed as npm packs it, unpacked where nothing else of ours is, and used from there. Dependencies
// are linked one by one, only those that the package names, so one that it forgets is missing.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { makeCheckout, repository, strangersEnvironment, type Checkout } from './checkout.ts'
import { stepsOf } from './readme-steps.ts'

const read = (file: string): string => readFileSync(join(repository, file), 'utf8')

suite('the published package', () => {
  let checkout: Checkout
  let project = ''
  let installed = ''

  function run(command: string, ...argv: readonly string[]) {
    const { status, stdout, stderr } = spawnSync(command, argv, {
      cwd: project,
      env: strangersEnvironment(),
      encoding: 'utf8',
      timeout: 120_000,
    })
    return { status, told: `${stdout}\n${stderr}` }
  }

  /** By the path that npm would link as node_modules/.bin/dagger-worker. */
  const type = (...argv: readonly string[]) => run(process.execPath, join(installed, 'bin/dagger-worker.js'), ...argv)

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
    mkdirSync(installed, { recursive: true })
    const packed = spawnSync('npm', ['pack', '--pack-destination', project], {
      cwd: checkout.directory,
      env: strangersEnvironment(),
      encoding: 'utf8',
    })
    assert.equal(packed.status, 0, packed.stderr)
    const [tarball = ''] = globSync('*.tgz', { cwd: project })
    assert.equal(run('tar', '-xzf', tarball, '-C', installed, '--strip-components=1').status, 0)
    const { dependencies }: { dependencies: object } = JSON.parse(read('package.json'))
    for (const name of Object.keys(dependencies)) {
      const link = join(project, 'node_modules', name)
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(join(repository, 'node_modules', name), link)
    }
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

  test('runs the example', () => {
    const { status, told } = type('demo', '--orders', '3', '--exit')
    assert.equal(status, 0, told)
    assert.match(told, /2 completed, 1 with an incident \(planned/)
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

suite('the image', () => {
  const lines = read('Dockerfile').replaceAll('\\\n', ' ').split('\n')
  const copies = lines.filter((line) => line.startsWith('COPY ')).map((line) => line.split(' ').slice(1))

  test('is made of files that are there and that .dockerignore lets in', () => {
    const sent = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
    const own = copies
      .filter(([first]) => first?.startsWith('--from=') === false)
      .flatMap((words) => words.slice(0, -1))
    assert.ok(own.length >= 8)
    assert.deepEqual([...new Set(own)].sort(), sent.map((line) => line.slice(1)).sort())
    for (const name of own) assert.equal(globSync(name, { cwd: repository }).length, 1, name)
  })

  test('has what the package has, besides its documents', () => {
    const { files }: { files: readonly string[] } = JSON.parse(read('package.json'))
    const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')))
    for (const name of files.filter((each) => !each.endsWith('.md'))) {
      assert.ok(
        last.some((line) => line.startsWith('COPY ') && line.endsWith(` /app/${name}`)),
        name,
      )
    }
  })

  test('runs as a user without rights, with the settings that the program knows', () => {
    assert.ok(lines.includes('USER node'))
    const settings = read('schemas/config.schema.json')
    for (const [, name = ''] of read('Dockerfile').matchAll(/DAGGER_WORKER_([A-Z_]+)=/g)) {
      assert.ok(settings.includes(`"${name.toLowerCase()}": {`), name)
    }
  })
})
