import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { OutcomeUnknown } from '../../src/base/errors.ts'
import { commandLine } from '../support/command-line.ts'
import { serve } from '../support/http.ts'
import { bytes, openLetters } from '../support/letters.ts'

async function servedLetters(t: TestContext) {
  const letters = await openLetters(t)
  const { worker, url } = await serve(t)
  worker.deadLetters = letters.deadLetters
  const shell = commandLine(t, { env: { DAGGER_WORKER_SERVER: url } })
  const dead = (...argv: readonly string[]) => shell.type('dead-letter', ...argv)
  /** JSON lines of a command that ends well. */
  const json = async (...argv: readonly string[]) => {
    const { stdout } = await dead(...argv, '--json')
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  }
  const orders = async () => (await letters.records('orders')).map(({ value }) => Buffer.from(value ?? []).toString())
  return { ...letters, worker, url, dead, json, orders, shell }
}

test('list is a table with reason, time, place, workflow, size and the first words of the message', async (t) => {
  const { dead, json, bury } = await servedLetters(t)
  assert.deepEqual(await dead('list'), { code: 0, stdout: '', stderr: 'No dead letters match.\n' })
  const message = `input: /amount must be > 0${' and so on'.repeat(20)}`
  await bury({ code: 'input-invalid', message, workflow: 'order', key: bytes('o-1'), value: bytes('{}') })
  await bury({ into: 2, value: new Uint8Array(1_048_576) })
  const { code, stdout } = await dead('list')
  assert.equal(code, 0)
  const [head, large, first] = stdout.split('\n')
  assert.match(head ?? '', /^LETTER +WHEN +REASON +SOURCE +WORKFLOW +SIZE +STATE +MESSAGE$/)
  assert.match(large ?? '', /^2@0 +\S+Z +not-json +orders\/0@7 +1\.0 MiB +not kept +no JSON$/)
  assert.match(
    first ?? '',
    /^0@0 +\S+Z +input-invalid +orders\/0@7 +order +5 B +input: \/amount must be > 0 and .{20,60}…$/,
  )
  const [item] = await json('list', '--workflow', 'order')
  assert.deepEqual([item.message, item.key, item.bytes.value], [message, 'o-1', 2])
})

test('list takes filters, pages beneath, and says that there are more', async (t) => {
  const { dead, json, bury } = await servedLetters(t)
  for (let i = 0; i < 1_050; i++) await bury({ message: String(i), code: i % 2 === 0 ? 'even' : 'odd' })
  assert.equal((await json('list', '--limit', '1020')).length, 1_020)
  assert.equal((await json('list', '--reason', 'odd', '--limit', '10000')).length, 525)
  assert.match((await dead('list', '--limit', '3')).stderr, /^These are the newest 3 letters; --limit shows more\.$/m)
  assert.equal((await dead('list', '--limit', '1050')).stderr, '')
  assert.equal((await json('list', '--since', '1h', '--limit', '2')).length, 2)
  assert.equal((await json('list', '--until', '1h')).length, 0)
  assert.equal((await json('list', '--since', '2100-01-01T00:00:00Z')).length, 0)
  assert.equal((await json('list', '--topic', 'nope')).length, 0)
  assert.equal((await dead('list', '--since', 'yesterday')).code, 2)
})

test('show has all of it and ends with the command that redrives it', async (t) => {
  const { dead, json, bury, url, shell } = await servedLetters(t)
  const headers = [
    { key: 'origin', value: bytes('shop') },
    { key: 'raw', value: Buffer.from([0xff]) },
  ]
  await bury({
    code: 'input-invalid',
    message: 'a\nb',
    workflow: 'order',
    key: bytes('o-1'),
    value: bytes('{"n":1}'),
    headers,
    into: 1,
  })
  const { code, stdout } = await dead('show', '1@0')
  assert.equal(code, 0)
  for (const line of [
    /^1@0 {2}input-invalid$/m,
    /^ {2}source +orders\/0@7, written 2023-11-14T22:13:20\.000Z$/m,
    /^ {2}workflow +order$/m,
    /^ {2}key +o-1$/m,
    /^ {2}size +value 7 B, key 3 B, headers 14 B$/m,
    /^ {2}sha256 +[0-9a-f]{64}$/m,
    /^Message\n {2}a\n {2}b$/m,
    /^Headers\n {2}origin {2}shop\n {2}raw {5}base64 \/w==$/m,
    /^Value\n {2}\{\n {4}"n": 1\n {2}\}$/m,
  ])
    assert.match(stdout, line)
  assert.match(stdout, /dagger-worker dead-letter redrive 1@0\n$/)
  // The coordinates that a header has, and another server than the usual.
  const elsewhere = await shell.type('dead-letter', 'show', 'dagger.dead-letter/1@0', '--server', `${url}/`)
  assert.equal(elsewhere.stdout, stdout)
  await dead('redrive', '1@0')
  const again = (await dead('show', '1@0')).stdout
  assert.match(again, /^ {2}redriven +\S+Z to orders\/0 by \S+$/m)
  assert.match(again, /redrive 1@0 --again\n$/)
  assert.equal((await json('show', '1@0'))[0].redriven.topic, 'orders')
})

test('show of a letter that is not there says what to type; of one that was not kept, where the record is', async (t) => {
  const { dead, bury } = await servedLetters(t)
  const missing = await dead('show', '0@5')
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /no dead letter 0@5.*dagger-worker dead-letter list/)
  for (const name of ['5', 'orders/1', '1@', '@1', 'a/b/1@2']) assert.equal((await dead('show', name)).code, 2, name)
  await bury({ value: new Uint8Array(1_048_576) })
  const { stdout } = await dead('show', '0@0')
  assert.match(stdout, /too large to be kept: it is at orders\/0@7/)
  assert.doesNotMatch(stdout, /redrive 0@0/)
})

test('what a stranger wrote cannot write control characters to the terminal', async (t) => {
  const { dead, bury } = await servedLetters(t)
  const evil = '\u001b[2J\u009b31m\u202e'
  const value = bytes(JSON.stringify({ [evil]: evil }))
  await bury({ message: evil, key: bytes(evil), value, headers: [{ key: evil, value: bytes(evil) }], topic: evil })
  await bury({ message: evil, value: bytes(evil), workflow: evil, code: evil })
  for (const command of [['list'], ['show', '0@0'], ['show', '0@1'], ['redrive', '0@0'], ['redrive', '--all']]) {
    const { stdout } = await dead(...command)
    assert.notEqual(stdout, '')
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /\p{Cc}|\u202e/u)
  }
})

test('redrive of some letters tells of each what became of it, and fails if one did', async (t) => {
  const { dead, json, bury, orders } = await servedLetters(t)
  for (const value of ['a', 'b']) await bury({ value: bytes(value) })
  await bury({ topic: 'gone' })
  const done = await dead('redrive', '0@0', '0@1')
  assert.deepEqual(done, {
    code: 0,
    stdout: '0@0  redriven to orders/0@0\n0@1  redriven to orders/0@1\n2 letters redriven\n',
    stderr: '',
  })
  const mixed = await dead('redrive', '0@1', '0@2', '0@9')
  assert.equal(mixed.code, 1)
  assert.match(mixed.stdout, /^0@1 {2}was redriven already, at \S+Z to orders\/0$/m)
  assert.match(mixed.stdout, /^0@2 {2}failed: .*no topic gone$/m)
  assert.match(mixed.stdout, /^0@9 {2}failed: There is no such dead letter/m)
  assert.match(mixed.stdout, /^0 letters redriven, 2 failed, 1 redriven before$/m)
  assert.deepEqual(await json('redrive', '0@1', '--again'), [
    { partition: 0, offset: 1, outcome: 'redriven', to: { topic: 'orders', partition: 0, offset: 2 } },
    { redriven: 1, failed: 0, alreadyRedriven: 0 },
  ])
  assert.deepEqual(await orders(), ['a', 'b', 'b'])
})

test('redrive --to another topic', async (t) => {
  const { dead, bury, records } = await servedLetters(t)
  await bury({ key: bytes('o-1') })
  assert.equal(
    (await dead('redrive', '0@0', '--to', 'mended')).stdout,
    '0@0  redriven to mended/2@0\n1 letter redriven\n',
  )
  assert.equal((await records('mended', 2)).length, 1)
})

test('redrive --all does what the filter wants, with progress on many, and a dry run before it does nothing', async (t) => {
  const { dead, json, bury, orders } = await servedLetters(t)
  for (let i = 0; i < 230; i++) await bury({ value: bytes(String(i)), workflow: i % 23 === 0 ? 'refund' : 'order' })
  const dry = await dead('redrive', '--all', '--workflow', 'refund', '--dry-run')
  assert.equal(dry.code, 0)
  assert.match(dry.stdout, /^0@23 {2}would be redriven to orders\/0\n(.*\n)*10 letters would be redriven\n$/m)
  assert.deepEqual((await json('redrive', '0@0', '--dry-run'))[0], {
    partition: 0,
    offset: 0,
    outcome: 'pending',
    to: { topic: 'orders', partition: 0 },
  })
  assert.deepEqual(await orders(), [])
  assert.match((await dead('redrive', '--all', '--workflow', 'refund')).stdout, /^10 letters redriven$/m)
  assert.match((await dead('redrive', '--all', '--limit', '7')).stdout, /^7 letters redriven, \d redriven before$/m)
  const all = await dead('redrive', '--all')
  assert.equal(all.code, 0)
  assert.match(all.stderr, /^… 100 letters redriven, .* so far\n… 200 letters redriven, .* so far\n$/)
  assert.match(all.stdout, /^213 letters redriven, 17 redriven before$/m)
  const values = (await orders()).map(Number)
  assert.equal(new Set(values).size, 230)
  assert.equal(values.length, 230)
  assert.deepEqual((await json('redrive', '--all')).at(-1), { redriven: 0, failed: 0, alreadyRedriven: 230 })
})

test('redrive that the worker has to stop tells what was done, and that the same command goes on', async (t) => {
  const { dead, worker, bury, deadLetters } = await servedLetters(t)
  for (let i = 0; i < 3; i++) await bury()
  worker.deadLetters = {
    ...worker.deadLetters,
    find: (partition, offset) => deadLetters.find(partition, offset),
    redriveMany: async (request) => ({
      ...(await deadLetters.redriveMany({ ...request, limit: 2 })),
      stopped: { code: 'outcome-unknown', message: 'the answer was lost' },
    }),
    redrive: async (partition, offset, options) => {
      if (offset === 2) throw new OutcomeUnknown('the answer was lost')
      return deadLetters.redrive(partition, offset, options)
    },
  }
  const all = await dead('redrive', '--all')
  assert.equal(all.code, 3)
  assert.match(all.stdout, /^2 letters redriven$/m)
  assert.match(all.stderr, /the answer was lost\nThe same command goes on: no letter is redriven twice\./)
  const some = await dead('redrive', '0@0', '0@2')
  assert.equal(some.code, 3)
  assert.match(some.stdout, /^0 letters redriven, 1 redriven before$/m)
})

test('redrive wants letters, or --all, and not both; filters go with --all', async (t) => {
  const { dead } = await servedLetters(t)
  for (const command of [
    [],
    ['0@0', '--all'],
    ['0@0', '--reason', 'x'],
    ['--reason', 'x'],
    ['0@0', '--limit', '1'],
    ['nope'],
  ])
    assert.equal((await dead('redrive', ...command)).code, 2, command.join(' '))
  const missing = await dead('redrive')
  assert.match(missing.stderr, /3@17, or --all/)
})
