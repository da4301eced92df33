// Who may import whom. The arrows are data; a new room or arrow is a change of this table, and a decision.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { importsOf, isBarrel, readDependencies, readSources } from './sources.ts'
import type { Imports, Source } from './sources.ts'

/** By room: the rooms, or single files of them, that it may import beside its own. */
const arrows: { readonly [room: string]: readonly string[] } = {
  base: [],
  definition: ['base'],
  engine: ['base', 'definition'],
  records: ['base', 'definition', 'engine'],
  // The schemas that modules export are compiled as those of workflows are.
  handlers: ['base', 'definition/schema.ts'],
  runtime: ['base', 'definition', 'engine', 'records', 'handlers/contract.ts'],
  'adapters/system': ['base', 'runtime'],
  'adapters/memory': ['base', 'runtime'],
  // No adapter of a port: LevelDB's files, as the two that lie on LevelDB check them.
  'adapters/leveldb': ['base'],
  'adapters/level': ['base', 'runtime', 'adapters/leveldb'],
  'adapters/embedded': ['base', 'runtime', 'adapters/leveldb'],
  // The log and the group on Kafka, whatever the client; beside it the clients.
  'adapters/kafka': ['base', 'runtime'],
  'adapters/platformatic': ['base', 'adapters/kafka'],
  'adapters/kafkajs': ['base', 'adapters/kafka'],
  // Picks one of the two.
  'adapters/clients.ts': ['base', 'adapters/kafka', 'adapters/platformatic', 'adapters/kafkajs'],
  'adapters/telemetry': ['base', 'runtime'],
  'adapters/registry': ['base', 'definition/schema.ts', 'definition/topic-format.ts', 'runtime'],
  // A worker on a log, composed for benchmarks.
  bench: [
    'base',
    'definition',
    'records',
    'runtime',
    'handlers/registry.ts',
    'adapters/system',
    'adapters/level',
    'adapters/embedded',
    'adapters/kafka',
    'adapters/clients.ts',
  ],
  config: ['base', 'definition'],
  cli: ['base', 'definition', 'config', 'runtime/face.ts', 'bench/report.ts'],
  http: ['base', 'definition', 'config', 'runtime/face.ts'],
  // What embedders and authors of handlers import.
  'index.ts': ['base', 'handlers/contract.ts', 'runtime/face.ts', 'embed.ts'],
  // A worker in an embedder's process: the composition root behind a face of its own, loaded when it is called for.
  'embed.ts': ['config/worker-config.ts', 'runtime/face.ts', 'composition.ts'],
  // The two ways to run, for the composition root.
  'ground.ts': ['base', 'records', 'runtime', 'adapters', 'config'],
  // The composition root.
  'composition.ts': [
    'ground.ts',
    'base',
    'definition',
    'engine',
    'records',
    'runtime',
    'handlers',
    'adapters',
    'config',
    'cli/surroundings.ts',
    'http',
  ],
  // The command line, and what it loads when a command wants it.
  'main.ts': ['cli', 'adapters/system/collector.ts', 'composition.ts', 'bench/measure.ts', 'handlers/registry.ts'],
}

/** Packages that live in some rooms only. */
const homes: { readonly [name: string]: readonly string[] } = {
  commander: ['cli'],
  fastify: ['http'],
  'prom-client': ['http'],
  level: ['adapters/level', 'adapters/embedded'],
  'classic-level': ['adapters/leveldb', 'adapters/level', 'adapters/embedded'],
  // Its codecs (compressions, checksums, the consumer protocol's own form) serve whatever the client.
  '@platformatic/kafka': ['adapters/platformatic', 'adapters/kafka'],
  kafkajs: ['adapters/kafkajs'],
  pino: ['adapters/system'],
  'pino-pretty': ['adapters/system'],
  '@opentelemetry/api': ['adapters/telemetry'],
  '@opentelemetry/resources': ['adapters/telemetry'],
  '@opentelemetry/sdk-node': ['adapters/telemetry'],
  msgpackr: ['records', 'adapters/embedded'],
  '@marcbachmann/cel-js': ['definition'],
  croner: ['definition'],
  yaml: ['definition'],
  '@viz-js/viz': ['cli'],
  avsc: ['adapters/registry'],
  protobufjs: ['adapters/registry'],
}

/** Files that may call `import()` with what they found out: everywhere else data could reach it. */
const openImports = ['src/handlers/registry.ts', 'src/handlers/thread.ts']

function roomOf(file: string): string {
  const [, first = '', second = ''] = file.split('/')
  return first === 'adapters' ? `adapters/${second}` : first
}

function forbiddenArrows(file: string, { files }: Imports): readonly string[] {
  const room = roomOf(file)
  const allowed = arrows[room]
  if (allowed === undefined) return [`${file}: the room ${room} is not in the table of arrows`]
  return files
    .filter((imported) => roomOf(imported) !== room)
    .filter((imported) => !allowed.some((arrow) => imported === `src/${arrow}` || imported.startsWith(`src/${arrow}/`)))
    .map((imported) => `${file} imports ${imported}`)
}

function strayPackages(file: string, { packages }: Imports, dependencies: readonly string[]): readonly string[] {
  const room = roomOf(file)
  const problems: string[] = []
  for (const name of packages) {
    const isBuiltIn = name.startsWith('node:')
    if (isBuiltIn && room === 'engine') problems.push(`${file} imports ${name}: the engine knows no surroundings`)
    if (!isBuiltIn && !dependencies.includes(name)) problems.push(`${file} imports ${name}, which is no dependency`)
    if (homes[name]?.includes(room) === false)
      problems.push(`${file} imports ${name}, which lives in ${homes[name].join(', ')}`)
  }
  return problems
}

/** One circle of imports, type-only ones included, as the files in order; undefined where there is none. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const imported of graph.get(file) ?? []) {
      const cycle = visit(imported, [...path, file])
      if (cycle !== undefined) return cycle
    }
    done.add(file)
    return undefined
  }
  for (const file of graph.keys()) {
    const cycle = visit(file, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}

const sources = readSources()
const imports = new Map(sources.map((source) => [source.file, importsOf(source)]))
const dependencies = readDependencies()

suite('the sources', () => {
  test('import along the arrows only', () => {
    assert.ok(sources.length > 30)
    assert.deepEqual(
      [...imports].flatMap(([file, found]) => forbiddenArrows(file, found)),
      [],
    )
  })

  test('import files that exist', () => {
    const missing = [...imports].flatMap(([file, { files }]) =>
      files
        .filter((imported) => imported.endsWith('.ts') && !imports.has(imported))
        .map((imported) => `${file}: ${imported}`),
    )
    assert.deepEqual(missing, [])
  })

  test('import no file in a circle', () => {
    const graph = new Map([...imports].map(([file, { files }]) => [file, files]))
    assert.equal(findCycle(graph)?.join(' → '), undefined)
  })

  test('import packages that are dependencies, in their homes only, and no built-in module in the engine', () => {
    assert.deepEqual(
      [...imports].flatMap(([file, found]) => strayPackages(file, found, dependencies)),
      [],
    )
  })

  test('call import() with what they found out in the registry of handlers and in its threads only', () => {
    const open = [...imports].filter(([, { isOpen }]) => isOpen).map(([file]) => file)
    assert.deepEqual(
      open.filter((file) => !openImports.includes(file)),
      [],
    )
  })

  test('have no barrels but src/index.ts', () => {
    const barrels = sources.filter(isBarrel).map(({ file }) => file)
    assert.deepEqual(
      barrels.filter((file) => file !== 'src/index.ts'),
      [],
    )
  })
})

suite('the checks themselves', () => {
  const source = (file: string, text: string): Source => ({ file, text })
  const from = (file: string, text: string) => importsOf(source(file, text))

  test('every form of import is seen', () => {
    const text = [
      "import a from './a.ts'",
      "import type { B } from './b.ts'",
      "import {\n  c,\n  type C,\n} from '../c/c.ts'",
      "import './d.ts'",
      "export { e } from './e.ts'",
      "export type * from './f.ts'",
      "const g = await import('./g.ts')",
      "type H = import('./h.ts').H",
      "import fs from 'node:fs/promises'",
      "import x from '@scope/name/deep.js'",
      "// import no from './no.ts'",
      "/** import no from './no.ts' */",
      "/*\nimport no from './no.ts'\n*/",
      "/** one */ const i = 1\nconst j = await import('./j.ts') /* two */",
    ].join('\n')
    const { files, packages, isOpen } = from('src/room/file.ts', text)
    const names = ['room/a', 'room/b', 'c/c', 'room/d', 'room/e', 'room/f', 'room/g', 'room/h', 'room/j']
    assert.deepEqual(files.toSorted(), names.map((name) => `src/${name}.ts`).sort())
    assert.deepEqual(packages, ['node:fs', '@scope/name'])
    assert.equal(isOpen, false)
    assert.equal(from('src/room/file.ts', 'await import(path)').isOpen, true)
  })

  test('a forbidden arrow is found', () => {
    const planted = [
      ['src/base/x.ts', '../definition/y.ts'],
      ['src/engine/x.ts', '../runtime/ports.ts'],
      ['src/adapters/level/x.ts', '../memory/y.ts'],
      ['src/cli/x.ts', '../http/y.ts'],
      ['src/http/x.ts', '../runtime/ports.ts'],
      ['src/runtime/x.ts', '../handlers/registry.ts'],
      ['src/index.ts', './runtime/worker.ts'],
      ['src/newcomer/x.ts', '../base/y.ts'],
    ] as const
    for (const [file, imported] of planted) {
      assert.equal(forbiddenArrows(file, from(file, `import y from '${imported}'`)).length, 1, file)
    }
    const allowed = from('src/http/routes/x.ts', "import type { WorkerFace } from '../../runtime/face.ts'")
    assert.deepEqual(forbiddenArrows('src/http/routes/x.ts', allowed), [])
  })

  test('a stray package is found', () => {
    const planted = [
      ['src/engine/x.ts', 'node:crypto'],
      ['src/runtime/x.ts', 'commander'],
      ['src/cli/x.ts', 'fastify'],
      ['src/base/x.ts', 'left-pad'],
    ] as const
    for (const [file, name] of planted) {
      assert.equal(strayPackages(file, from(file, `import y from '${name}'`), ['commander', 'fastify']).length, 1, file)
    }
  })

  test('a circle is found, and a diamond is none', () => {
    const circle = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b']],
    ])
    assert.deepEqual(findCycle(circle), ['b', 'c', 'b'])
    const diamond = new Map([
      ['a', ['b', 'c']],
      ['b', ['d']],
      ['c', ['d']],
      ['d', []],
    ])
    assert.equal(findCycle(diamond), undefined)
  })

  test('a barrel is found, and a file that defines something is none', () => {
    assert.equal(isBarrel(source('x', "// all of it\nexport * from './a.ts'\nexport type { B } from './b.ts'\n")), true)
    assert.equal(isBarrel(source('x', "export * from './a.ts'\nexport const b = 1\n")), false)
  })
})
