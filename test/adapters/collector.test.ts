import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const collector = pathToFileURL(`${import.meta.dirname}/../../src/adapters/system/collector.ts`).href

/** What a process writes to stderr that runs a script. */
async function complaintsOf(script: string): Promise<string> {
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  return stderr
}

test('this Node knows what the collector is told: of a flag that it has not, V8 says so at each start', async () => {
  assert.equal(await complaintsOf(`(await import(${JSON.stringify(collector)})).tuneCollector()`), '')
  assert.match(await complaintsOf(`(await import('node:v8')).setFlagsFromString('--no-such-flag')`), /no-such-flag/)
})
