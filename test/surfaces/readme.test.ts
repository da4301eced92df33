// The README does what it says: its commands are run in order, in a checkout of their own, against real workers; its
// tables are held against the program.
import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { suite, test } from 'node:test'
import { exitCodes } from '../../src/cli/exit-codes.ts'
import { configKeys } from '../../src/config/config-schema.ts'
import { metricTable, type MetricDefinition } from '../../src/runtime/metrics/metric-table.ts'
import { commandLine } from '../support/command-line.ts'
import { makeCheckout, repository, strangersEnvironment } from './checkout.ts'
import { missingLine, stepsOf } from './readme-steps.ts'

const read = (file: string): string => readFileSync(join(repository, file), 'utf8')
const readme = read('README.md')
const steps = stepsOf(readme)
/** Commands with commands of their own that the table has a row for each of. */
const innerCommands: { readonly [name: string]: readonly string[] } = {
  instances: ['list', 'show'],
  explain: ['', 'record'],
  operations: ['start', 'list', 'show', 'cancel'],
  workflows: ['list', 'show', 'versions'],
  topics: ['list', 'create', 'describe', 'check'],
  'dead-letter': ['list', 'show', 'redrive'],
  token: ['create'],
}
const secures = /^--(?:kafka-.*|token-file|ca-file|cert-file|key-file)$/
/** Starting npm takes as long as all the rest of a command; that npx finds the program is a test of its own. */
const npx = 'npx() { [ "$1" = dagger-worker ] && shift && node bin/dagger-worker.js "$@"; }'

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

async function startWorker(argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const worker = spawn(process.execPath, ['bin/dagger-worker.js', ...argv], { cwd, env })
  let printed = ''
  worker.stderr.on('data', (piece) => (printed += String(piece)))
  for await (const piece of worker.stdout.iterator({ destroyOnReturn: false })) {
    printed += String(piece)
    if (printed.includes('Ctrl-C stops it.')) break
  }
  assert.match(printed, /Ctrl-C stops it\./, `${argv.join(' ')}\n${printed}`)
  // Somebody has to read it, or it stands still with the pipe full.
  worker.stdout.resume()
  return worker
}

async function stopWorker(worker: ChildProcess, signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
  const exited = once(worker, 'exit')
  worker.kill(signal)
  const [code] = await exited
  assert.equal(code, signal === 'SIGINT' ? 0 : null)
}

suite('the commands of the README', () => {
  test('run in their order, succeed, and print what is printed there', async (t) => {
    const { directory, remove } = makeCheckout()
    const port = await freePort()
    const env = strangersEnvironment({
      DAGGER_WORKER_PORT: String(port),
      DAGGER_WORKER_SERVER: `http://127.0.0.1:${port}`,
    })
    let worker: ChildProcess | undefined
    t.after(async () => {
      if (worker?.exitCode === null) await stopWorker(worker, 'SIGKILL')
      remove()
    })
    let ran = 0
    for (const step of steps) {
      if (step.kind === 'save') {
        const file = join(directory, step.file)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, step.text)
      } else if (step.kind === 'stay-up') {
        if (worker !== undefined) await stopWorker(worker, step.killsTheOneBefore ? 'SIGKILL' : 'SIGINT')
        worker = await startWorker(step.argv, directory, env)
      } else if (step.kind === 'run') {
        const script = `${npx}\n${step.script.replaceAll(':7070', `:${port}`)}`
        const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
          cwd: directory,
          env,
          encoding: 'utf8',
          timeout: 60_000,
        })
        const told = `${step.script}\n${stdout}\n${stderr}`
        assert.equal(status, 0, told)
        assert.equal(missingLine(stdout, step.expected), undefined, told)
        ran += 1
      }
    }
    assert.ok(worker !== undefined && ran >= 6)
    await stopWorker(worker, 'SIGINT')
  })

  test('that are not executed are the scripts of the package, what CI runs, docker, and what needs a Kafka or a collector at a known place or rights on one', () => {
    const scripts: { [name: string]: string } = JSON.parse(read('package.json')).scripts
    const skipped = steps.flatMap((step) => (step.kind === 'not-executed' ? step.script.split('\n') : []))
    assert.deepEqual(
      skipped.filter((line) => !/^(?:docker |acls=|\$acls )|--brokers 127\.0\.0\.1:9092|^OTEL_|--otel$/.test(line)),
      ['npm ci && npm start', 'npm ci && npm test'],
    )
    assert.equal(scripts['start'], 'node bin/dagger-worker.js demo')
    assert.equal(scripts['test'], 'node test/run.ts')
    const ci = globSync('.ci/*', { cwd: repository }).map(read)
    assert.ok(ci.some((text) => text.trimEnd().endsWith('npm ci && npm test')))
    for (const directory of ['/workflows', '/data']) assert.ok(read('Dockerfile').includes(directory))
  })

  test('find the program by npm and npx, and the first one ends well', () => {
    const { directory, remove } = makeCheckout()
    try {
      const run = (...argv: readonly string[]) =>
        spawnSync(argv[0]!, argv.slice(1), { cwd: directory, env: strangersEnvironment(), encoding: 'utf8' })
      const { version } = JSON.parse(read('package.json'))
      assert.equal(run('npx', 'dagger-worker', '--version').stdout.trim(), version)
      const demo = run('npm', 'start', '--', '--orders', '3', '--exit')
      assert.equal(demo.status, 0, demo.stderr)
      assert.match(demo.stdout, /2 completed, 1 with an incident \(planned/)
    } finally {
      remove()
    }
  })

  test('of places that name tests or scripts name some that are there', () => {
    const scripts: object = JSON.parse(read('package.json')).scripts
    const documents = ['README.md', 'src/README.md', 'test/README.md'].map(read).join('\n')
    for (const [, script = ''] of documents.matchAll(/npm run ([\w-]+)/g)) assert.ok(Object.hasOwn(scripts, script))
    for (const [file] of documents.matchAll(/\btest\/[\w/-]+\.ts\b/g))
      assert.ok(existsSync(join(repository, file)), file)
  })
})

suite('the tables of the README', () => {
  /** The rows whose first cell begins with a code span, by that span. */
  const rowsOf = (text: string) =>
    new Map([...text.matchAll(/^\| `([^`]+)`.*$/gm)].map((match) => [match[1], match[0]]))
  const rows = rowsOf(readme)
  /** A command may be called as a setting is. */
  const commandRows = rowsOf(readme.slice(readme.indexOf('## Command line'), readme.indexOf('## HTTP')))

  test('have every command with all of its options', async (t) => {
    const { type } = commandLine(t)
    const help = await type('--help')
    const known = [...help.stdout.matchAll(/^ {2}([a-z][a-z-]*)(?= {2}| \[| <)/gm)].map((match) => match[1] ?? '')
    assert.ok(known.includes('start') && known.includes('dead-letter'))
    for (const name of known) {
      const inner = innerCommands[name] ?? ['']
      for (const sub of inner) {
        const path = [name, sub].filter((part) => part !== '')
        const { code, stdout } = await type(...path, '--help')
        assert.equal(code, 0)
        const row = [...commandRows].find(
          ([head]) => head === path.join(' ') || head?.startsWith(`${path.join(' ')} `),
        )?.[1]
        assert.ok(row !== undefined, path.join(' '))
        const options = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map((match) => match[1] ?? '')
        for (const option of options.filter((each) => each !== '--help')) {
          // What secures the connection is the same for all.
          const place = name === 'start' || secures.test(option) ? readme : row
          assert.ok(place.includes(`\`${option}\``), `${path.join(' ')} ${option}`)
        }
      }
    }
  })

  test('have every exit code', () => {
    for (const code of Object.values(exitCodes)) assert.match(readme, new RegExp(`^\\| ${code} \\| `, 'm'))
  })

  test('have every address of the HTTP API', () => {
    const routes = globSync('src/http/routes/*.ts', { cwd: repository }).map(read).join('\n')
    const found = [...routes.matchAll(/app\.(get|post)(?:<[^(]*>)?\(\s*'([^']+)'/g)]
    assert.ok(found.length >= 9)
    for (const [, method = '', path = ''] of found) {
      const name = `${method.toUpperCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}`
      assert.ok(rows.has(name), name)
    }
  })

  test('have every span and every attribute that is made, and no other', () => {
    const code = read('src/adapters/telemetry/tracer.ts')
    const namesIn = (text: string, quote: string): readonly string[] =>
      [
        ...text.matchAll(
          new RegExp(`${quote}((?:dagger_worker|messaging|http|error)\\.[a-z_.]+|(?:start|task|run) [$<])`, 'g'),
        ),
      ].map(([, name = '']) => name.replace('$', '<'))
    const [, section = ''] = readme.split('## Telemetry\n')
    const [telemetry = ''] = section.split('\n## ')
    const made = new Set(namesIn(code, "['`]"))
    assert.ok(made.size > 15 && made.has('task <'))
    assert.deepEqual(new Set(namesIn(telemetry, '`')), made)
  })

  test('have every setting with its flag and its variable', () => {
    for (const key of configKeys) {
      const variable = `DAGGER_WORKER_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
      assert.ok(rows.get(key)?.includes(`\`${variable}\``), key)
    }
  })

  test('have every metric as it is in the table of the runtime', () => {
    const shown = readme.split('\n').filter((line) => /^\| `(?:dagger_worker|process)_/.test(line))
    const expected = Object.values<MetricDefinition>(metricTable).map(({ name, kind, labels, help }) => {
      const cell = labels.length === 0 ? '' : ` ${labels.map((label) => `\`${label}\``).join(', ')}`
      return `| \`${name}\` | ${kind} |${cell} | ${help} |`
    })
    assert.deepEqual(shown, expected)
  })
})

suite('the documents', () => {
  for (const file of ['README.md', 'src/README.md', 'test/README.md', 'CHANGELOG.md']) {
    test(`${file} links to files that are there`, () => {
      const links = [...read(file).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? '')
      const broken = links.filter(
        (link) => !/^https?:/.test(link) && !existsSync(join(repository, dirname(file), link)),
      )
      assert.deepEqual(broken, [])
    })
  }

  test('src/README.md draws the arrows that the architecture test holds', () => {
    const map = read('src/README.md')
    const table = /const arrows[^]*?= \{\n([^]*?)\n\}/.exec(read('test/house/architecture.test.ts'))?.[1] ?? ''
    const arrows = [...table.matchAll(/^ {2}'?([\w./]+)'?: \[(.*)\],$/gm)]
    assert.ok(arrows.length >= 10)
    for (const [, room = '', imported = ''] of arrows) {
      const names = [...imported.matchAll(/'([^']+)'/g)].map((match) => `\`${match[1]}\``)
      const cell = names.length === 0 ? 'nothing' : names.join(', ')
      assert.ok(map.includes(`| \`${room}\` | ${cell} |`), `${room} imports ${cell}`)
    }
  })

  test('src/README.md says of every dependency why it is there', () => {
    const { dependencies }: { dependencies: object } = JSON.parse(read('package.json'))
    const rows = read('src/README.md')
      .split('\n')
      .filter((line) => line.startsWith('| '))
    for (const name of Object.keys(dependencies))
      assert.ok(
        rows.some((row) => row.startsWith(`| \`${name}\` | `)),
        name,
      )
  })

  test('CHANGELOG.md tells of the version of the package', () => {
    const { version } = JSON.parse(read('package.json'))
    assert.ok(read('CHANGELOG.md').includes(`## [${version}] - `))
  })
})

suite('the steps of a README', () => {
  test('are its blocks in order, and an unknown one is refused', () => {
    const fence = '```'
    const text = [
      `Do:\n\n${fence}sh\necho 1\n${fence}\n\n${fence}text\n1\n${fence}`,
      `Save this as \`a/b.yaml\`.\n\n${fence}yaml\nx: 1\n${fence}`,
      `<!-- stays up; the one before is killed -->\n${fence}sh\nnpx dagger-worker start --app a\n${fence}`,
      `<!-- not executed: why -->\n${fence}sh\nnpm ci\n${fence}\n`,
    ].join('\n\n')
    assert.deepEqual(stepsOf(text), [
      { kind: 'run', script: 'echo 1\n', expected: ['1'] },
      { kind: 'save', file: 'a/b.yaml', text: 'x: 1\n' },
      { kind: 'stay-up', argv: ['start', '--app', 'a'], killsTheOneBefore: true },
      { kind: 'not-executed', script: 'npm ci' },
    ])
    assert.throws(() => stepsOf(`${fence}js\n1\n${fence}\n`))
  })

  test('expect lines in their order', () => {
    assert.equal(missingLine('a   1\nb 2\nc', ['a 1', '… 2', 'c']), undefined)
    assert.equal(missingLine('b\na', ['a', 'b']), 'b')
    assert.equal(missingLine('a\nb', ['a…b']), 'a…b')
  })
})
