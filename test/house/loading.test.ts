// What a command loads: somebody who asks a running worker waits for the answer, and not for Fastify, Kafka and LevelDB.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const main = pathToFileURL(`${import.meta.dirname}/../../src/main.ts`).href

/** Runs a command in a process of its own and gives the packages that it loaded. */
async function packagesOf(...argv: readonly string[]): Promise<readonly string[]> {
  const script = `
    import { registerHooks } from 'node:module'
    const packages = new Set()
    registerHooks({
      load(url, context, next) {
        const name = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1]
        if (name !== undefined) packages.add(name)
        return next(url, context)
      },
    })
    process.on('exit', () => process.stderr.write('\\n' + JSON.stringify([...packages])))
    const { runCommandLine } = await import(${JSON.stringify(main)})
    await runCommandLine(${JSON.stringify(argv)})
    process.exit()`
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  return JSON.parse(stderr.slice(stderr.lastIndexOf('\n'))) as readonly string[]
}

test('help, and a command that asks a worker, load the parser of the command line alone', async () => {
  assert.deepEqual(await packagesOf('--help'), ['commander'])
  assert.deepEqual(await packagesOf('instances', 'list', '--server', 'http://127.0.0.1:1'), ['commander'])
})

test('a command that reads workflows loads what reads them, and no worker', async () => {
  const packages = await packagesOf('validate', 'workflows')
  assert.ok(packages.includes('yaml'))
  for (const name of ['fastify', 'classic-level', '@platformatic/kafka', 'pino'])
    assert.ok(!packages.includes(name), name)
})
