// Tokens of a worker that runs: exchanged without a restart, and kept where the file is broken.
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { NotStarted, Site } from '../support/daemon.ts'

test('tokens are exchanged while the worker runs, and a broken file is told and changes nothing', async (t) => {
  const site = Site.of(t)
  const create = async (name: string): Promise<string> => {
    const made = await site.type('token', 'create', '--name', name, '--role', 'operate', '--file', 'tokens')
    assert.equal(made.code, 0, made.stderr)
    return made.stdout.trim()
  }
  const alice = await create('alice')
  const daemon = await site.start('--tokens-file', 'tokens')
  const health = async (token: string) => {
    const answer = await fetch(`${daemon.url}/health`, { headers: { authorization: `Bearer ${token}` } })
    return { status: answer.status, problems: answer.ok ? ((await answer.json()) as any).problems : [] }
  }
  assert.deepEqual(await health(alice), { status: 200, problems: [] })
  const bob = await create('bob')
  assert.equal((await health(bob)).status, 401)
  await daemon.until(async () => ((await health(bob)).status === 200 ? true : undefined))

  const file = join(site.directory, 'tokens')
  const whole = readFileSync(file, 'utf8')
  appendFileSync(file, 'who is this\n')
  const [problem] = await daemon.until(async () => {
    const { status, problems } = await health(alice)
    assert.equal(status, 200)
    return problems.length > 0 ? problems : undefined
  })
  assert.match(problem, /tokens: what was read before stays in use\. Line 3: Expected the role/)
  writeFileSync(file, whole.split('\n').slice(1).join('\n'))
  await daemon.until(async () => ((await health(alice)).status === 401 ? true : undefined))
  assert.deepEqual(await health(bob), { status: 200, problems: [] })
  assert.equal(await daemon.stop(), 0)
})

test('a worker that nobody may use as it is said to be does not start', async (t) => {
  const site = Site.of(t, { tokens: 'alice operate sha256:1\n' })
  const fails = async (code: string, ...flags: readonly string[]): Promise<void> => {
    const error: unknown = await site.start(...flags).catch((thrown: unknown) => thrown)
    assert.ok(error instanceof NotStarted && error.code === 2, String(error))
    assert.match(error.stderr, new RegExp(`\\b${code}\\b`))
  }
  await fails('DW_HTTP_HOST', '--host', '0.0.0.0')
  await fails('DW_TOKENS_FILE', '--tokens-file', 'tokens')
  await fails('DW_CONFIG', '--tls-client-ca-file', 'tokens')
  await fails('DW_CONFIG', '--advertised-url', 'worker:7070/path')
  await fails('DW_CONFIG', '--stop-timeout', 'soon')
})
