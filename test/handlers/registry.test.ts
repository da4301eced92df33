import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { ConfigError } from '../../src/base/errors.ts'
import { loadHandlers } from '../../src/handlers/registry.ts'

const root = mkdtempSync(join(tmpdir(), 'dw-handlers-'))
after(() => rmSync(root, { recursive: true }))

let directories = 0
function directoryOf(files: { readonly [name: string]: string }): string {
  const directory = join(root, String(++directories))
  mkdirSync(directory)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  return directory
}

async function codesOf(directory: string): Promise<readonly string[]> {
  try {
    await loadHandlers(directory)
  } catch (error) {
    assert(error instanceof ConfigError)
    return error.problems.map(({ code }) => code)
  }
  return []
}

const good = 'export default () => 1\n'

test('with no directory there are no handlers', async () => {
  const handlers = await loadHandlers(undefined)
  assert.deepEqual(handlers.names, [])
  assert.equal(handlers.find('toString'), undefined)
})

test('handlers are named by their path, sub-folders with a slash, in every kind of file', async () => {
  const directory = directoryOf({
    'ship.ts': 'export default (task: { name: string }): string => task.name\n',
    'billing/charge.mjs': good,
    'billing/eu/refund.mjs': good,
    'package.json': '{ "type": "module" }',
    'notify.js': good,
  })
  const handlers = await loadHandlers(directory)
  assert.deepEqual(handlers.names, ['billing/charge', 'billing/eu/refund', 'notify', 'ship'])
  assert.equal(typeof handlers.find('billing/charge')?.run, 'function')
  assert.equal(handlers.find('billing'), undefined)
})

test('schemas, `stop` and concurrency of a module come along', async () => {
  const directory = directoryOf({
    'a.mjs': `${good}export const input = { type: 'object' }\nexport const output = true\nexport const concurrency = 3\nexport const stop = () => {}\n`,
  })
  const module = (await loadHandlers(directory)).find('a')
  assert.deepEqual(module?.input?.validate({}), [])
  assert.deepEqual(module?.input?.validate(1), [{ pointer: '', message: 'must be object' }])
  assert.deepEqual([module?.output?.validate(1), module?.concurrency, typeof module?.stop], [[], 3, 'function'])
})

test('hidden files, underscored ones, declarations, tests and node_modules are not read', async () => {
  const bad = 'throw new Error("read")'
  const directory = directoryOf({
    'a.mjs': good,
    '.secret.mjs': bad,
    '_shared.mjs': bad,
    '_lib/x.mjs': bad,
    'a.d.ts': bad,
    'a.test.mjs': bad,
    'node_modules/x/index.mjs': bad,
    'notes.md': bad,
  })
  assert.deepEqual((await loadHandlers(directory)).names, ['a'])
})

test('a directory that is not there, or is a file, is a problem', async () => {
  const directory = directoryOf({ 'a.mjs': good })
  assert.deepEqual(await codesOf(join(root, 'missing')), ['DW_HANDLER_DIRECTORY'])
  assert.deepEqual(await codesOf(join(directory, 'a.mjs')), ['DW_HANDLER_DIRECTORY'])
})

test('H1: a link that leaves the directory is refused, and nothing is imported', async () => {
  const outside = directoryOf({ 'evil.mjs': 'globalThis.wasImported = true\nexport default () => 1\n' })
  const directory = directoryOf({ 'a.mjs': 'globalThis.wasImported = true\nexport default () => 1\n' })
  symlinkSync(join(outside, 'evil.mjs'), join(directory, 'evil.mjs'))
  symlinkSync(outside, join(directory, 'folder'))
  symlinkSync('/nowhere/at-all.mjs', join(directory, 'dangling.mjs'))
  assert.deepEqual(await codesOf(directory), ['DW_HANDLER_OUTSIDE', 'DW_HANDLER_OUTSIDE', 'DW_HANDLER_OUTSIDE'])
  assert.equal('wasImported' in globalThis, false)
})

test('H1: a sibling whose name begins like the directory is outside of it', async () => {
  const directory = directoryOf({ 'a.mjs': good })
  mkdirSync(`${directory}-evil`)
  writeFileSync(join(`${directory}-evil`, 'b.mjs'), good)
  symlinkSync(join(`${directory}-evil`, 'b.mjs'), join(directory, 'b.mjs'))
  assert.deepEqual(await codesOf(directory), ['DW_HANDLER_OUTSIDE'])
})

test('a link inside the directory is a handler of its own, a circle of folders is refused', async () => {
  const directory = directoryOf({ 'a.mjs': good })
  symlinkSync('a.mjs', join(directory, 'b.mjs'))
  assert.deepEqual((await loadHandlers(directory)).names, ['a', 'b'])
  symlinkSync('.', join(directory, 'loop'))
  assert.deepEqual(await codesOf(directory), ['DW_HANDLER_OUTSIDE'])
})

test('the directory itself may be a link', async () => {
  const link = join(root, 'link')
  symlinkSync(directoryOf({ 'a.mjs': good }), link)
  assert.deepEqual((await loadHandlers(link)).names, ['a'])
})

test('two files of one name are a problem', async () => {
  assert.deepEqual(await codesOf(directoryOf({ 'a.ts': good, 'a.mjs': good, 'b.mjs': good })), ['DW_HANDLER_DUPLICATE'])
})

test('everything that is wrong with modules is reported at once', async () => {
  const directory = directoryOf({
    'throws.mjs': 'throw new Error("no")',
    'syntax.mjs': 'export default {',
    'no-default.mjs': 'export const run = () => 1',
    'not-a-function.mjs': 'export default 7',
    'bad-schemas.mjs': `${good}export const input = 'x'\nexport const output = []\nexport const concurrency = 0\nexport const stop = 1\n`,
    'bad-keyword.mjs': `${good}export const input = { type: 'objekt' }`,
    'cyclic.mjs': `${good}export const input = {}\ninput.properties = input\n`,
  })
  assert.deepEqual([...(await codesOf(directory))].sort(), [
    ...Array.from({ length: 8 }, () => 'DW_HANDLER_EXPORT'),
    'DW_HANDLER_IMPORT',
    'DW_HANDLER_IMPORT',
  ])
})
