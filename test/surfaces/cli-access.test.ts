// How a person says who they are on the command line, and makes tokens for others.
import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { silentLogger } from '../../src/base/logger.ts'
import { readAccess, tokenLine, tokenOf } from '../../src/config/access-file.ts'
import { Doors, type DoorSettings } from '../../src/http/doors.ts'
import { startHttpServer } from '../../src/http/server.ts'
import { apiCertificates } from '../support/api-certificates.ts'
import { commandLine } from '../support/command-line.ts'
import { FakeWorker } from '../support/fake-worker.ts'

const token = tokenOf(new Uint8Array(32).fill(1))

async function served(t: TestContext, settings: Partial<DoorSettings>): Promise<string> {
  const doors = new Doors({ host: '127.0.0.1', ...settings })
  const server = await startHttpServer({ worker: new FakeWorker(), port: 0, logger: silentLogger, doors })
  t.after(() => server.close())
  return server.url
}

suite('token create', () => {
  test('shows a new token once, and the line that lets it in', async (t) => {
    const { type } = commandLine(t)
    const first = await type('token', 'create', '--name', 'alice', '--role', 'read')
    assert.equal(first.code, 0, first.stderr)
    const [made = '', line = ''] = first.stdout.split('\n')
    assert.match(made, /^dw_[\w-]{43}$/)
    assert.equal(line, tokenLine('alice', 'read', made))
    assert.ok(!line.includes(made))
    const { stdout } = await type('token', 'create', '--name', 'alice', '--role', 'operate', '--json')
    const second = JSON.parse(stdout)
    assert.deepEqual(Object.keys(second), ['name', 'role', 'token', 'line'])
    assert.notEqual(second.token, made)
  })

  test('appends the line to a file that only its owner reads, whatever it ends with', async (t) => {
    const { type, directory } = commandLine(t)
    const create = (name: string) => type('token', 'create', '--name', name, '--role', 'operate', '--file', 'tokens')
    const alice = await create('alice')
    assert.match(alice.stdout, /^dw_[\w-]{43}\n$/)
    const file = join(directory, 'tokens')
    assert.equal(statSync(file).mode & 0o777, 0o600)
    writeFileSync(file, `# ours\n${readFileSync(file, 'utf8').trimEnd()}`)
    const bob = await create('bob')
    const access = readAccess('tokens', readFileSync(file, 'utf8'))
    assert.ok('tokens' in access)
    assert.deepEqual(
      access.tokens.map(({ name }) => name),
      ['alice', 'bob'],
    )
    for (const { stdout } of [alice, bob]) assert.ok(!readFileSync(file, 'utf8').includes(stdout.trim()))
  })

  test('makes nothing that no worker would take', async (t) => {
    const { type, directory } = commandLine(t)
    writeFileSync(join(directory, 'tokens'), 'what is this file\n')
    const { code, stdout, stderr } = await type('token', 'create', '--name', 'a', '--role', 'read', '--file', 'tokens')
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /tokens:1:1 {2}DW_TOKENS_FILE/)
    assert.equal(readFileSync(join(directory, 'tokens'), 'utf8'), 'what is this file\n')
    for (const flags of [
      ['--name', 'a b', '--role', 'read'],
      ['--name', 'a', '--role', 'admin'],
      ['--name', 'a'],
    ])
      assert.equal((await type('token', 'create', ...flags)).code, 2, flags.join(' '))
  })
})

suite('the commands that ask a worker', () => {
  test('give the token of a file, by flag or variable, or of a variable; and say how where there is none', async (t) => {
    const env: { [name: string]: string } = {}
    const { type, directory } = commandLine(t, { env })
    const tokensFile = join(directory, 'tokens')
    writeFileSync(tokensFile, tokenLine('alice', 'read', token))
    const url = await served(t, { tokensFile })
    const list = (...flags: readonly string[]) => type('topics', 'list', '--server', url, ...flags)
    const refused = await list()
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /--token-file FILE \(or DAGGER_WORKER_TOKEN_FILE, or the token itself in DAGGER_WORKER_TOKEN\)/,
    )
    writeFileSync(join(directory, 'mine'), `${token}\n`)
    assert.equal((await list('--token-file', 'mine')).code, 0)
    assert.equal((await type('topics', 'list', '--token-file', 'mine', '--server', url)).code, 0)
    const filtered = await type('instances', 'list', '--token-file', 'mine', '--limit', '3', '--server', url)
    assert.equal(filtered.code, 0, filtered.stderr)
    env['DAGGER_WORKER_TOKEN'] = token
    assert.equal((await list()).code, 0)
    env['DAGGER_WORKER_TOKEN'] = 'wrong'
    assert.equal((await list()).code, 1)
    env['DAGGER_WORKER_TOKEN_FILE'] = join(directory, 'mine')
    assert.equal((await list()).code, 0, 'the file counts')
    env['DAGGER_WORKER_SERVER'] = url
    assert.equal((await type('topics', 'list')).code, 0)
    const forbidden = await type('produce', 'orders', '--key', 'k', '--value', '1')
    assert.equal(forbidden.code, 1)
    assert.match(forbidden.stderr, /has the role read, and this takes operate/)
  })

  test('show no token that they cannot send, and name a file that they cannot read', async (t) => {
    const { type, directory } = commandLine(t)
    writeFileSync(join(directory, 'two'), `${token}\n${token}\n`)
    const two = await type('topics', 'list', '--token-file', 'two')
    assert.equal(two.code, 2)
    assert.ok(!(two.stdout + two.stderr).includes(token))
    const gone = await type('topics', 'list', '--ca-file', 'gone.pem')
    assert.equal(gone.code, 2)
    assert.match(gone.stderr, /--ca-file .*ENOENT/)
    assert.equal((await type('topics', 'list', '--token', token)).code, 2, 'others would see it')
  })

  test('trust the authority that they are given, and show a certificate', async (t) => {
    const made = await apiCertificates(t)
    const { type } = commandLine(t)
    const own = await made.worker('w-1')
    const tls = { tlsCertFile: own.certFile, tlsKeyFile: own.keyFile }
    const url = await served(t, tls)
    const untrusted = await type('topics', 'list', '--server', url)
    assert.equal(untrusted.code, 3)
    assert.match(untrusted.stderr, /is not trusted \(\w+\)\.\nName who signed it with: {2}--ca-file FILE/)
    assert.equal((await type('topics', 'list', '--server', url, '--ca-file', made.caFile)).code, 0)
    const mutual = await served(t, { ...tls, tlsClientCaFile: made.caFile })
    const asked = ['topics', 'list', '--server', mutual, '--ca-file', made.caFile]
    assert.equal((await type(...asked)).code, 1)
    const alice = await made.client('alice')
    const shown = await type(...asked, '--cert-file', alice.certFile, '--key-file', alice.keyFile)
    assert.equal(shown.code, 0, shown.stderr)
  })
})
