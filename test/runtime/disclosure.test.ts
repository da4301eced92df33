// The secrets of one run: put in where it begins, masked in all that comes back.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { ManualClock } from '../../src/adapters/memory/clock.ts'
import { createSecrets } from '../../src/adapters/system/secrets.ts'
import type { Json } from '../../src/base/json.ts'
import { silentLogger, type Logger } from '../../src/base/logger.ts'
import type { HandlerWork } from '../../src/engine/effect.ts'
import { Payload } from '../../src/engine/payload.ts'
import type { HandlerModule, HandlerTaskInput } from '../../src/handlers/contract.ts'
import { HandlerCall } from '../../src/runtime/handler-call.ts'

const secret = 'hunter2/"ü"'
const secrets = { read: (name: string) => (name === 'T' ? secret : assert.fail(name)) }

/** Runs a handler whose input names the secret T. */
async function run(
  handler: (task: HandlerTaskInput) => Json,
  more: Partial<HandlerModule> = {},
  logger: Logger = silentLogger,
) {
  const work: HandlerWork = {
    ...{ instanceId: 'i', task: 0, attempt: 1, handler: 'h', kind: 'module', execution: 'main', name: 'h', key: 'k' },
    ...{ workflow: 'w', version: 'w@1', idempotencyKey: 'i/h', isSealed: true },
    input: Payload.of({ token: '${ secrets.T }', price: '5 $$' }),
  }
  const module = { name: 'h', run: handler, ...more }
  const call = new HandlerCall(work, module, { clock: new ManualClock(), logger, names: ['h'], secrets })
  return { call, command: await call.run() }
}

suite('a handler whose `with` names a secret', () => {
  test('is given it', async () => {
    let input: Json = null
    await run((task) => {
      input = task.input
      return null
    })
    assert.deepEqual(input, { token: secret, price: '5 $' })
  })

  test('has it masked in its output, in texts and keys, in every way in which it may be written', async () => {
    const base64 = Buffer.from(secret).toString('base64')
    const { command } = await run(() => ({
      plain: `Bearer ${secret}!`,
      [secret]: [JSON.stringify({ secret }), encodeURIComponent(secret), base64, 1, null],
    }))
    assert.ok(command.type === 'task.complete')
    assert.deepEqual(command.output.value, {
      plain: 'Bearer ***!',
      '***': ['{"secret":"***"}', '***', '***', 1, null],
    })
  })

  test('has it masked in its error, where that was cut in the middle of it too', async () => {
    const { command } = await run(() => {
      throw Object.assign(new Error(`bad token ${secret}, or ${secret.slice(0, 7)}`), { code: secret })
    })
    assert.ok(command.type === 'task.fail')
    assert.deepEqual(command.error, { code: '***', message: 'bad token ***, or ***' })
  })

  test('has it masked in what it logs and in how far it says it is', async () => {
    const lines: string[] = []
    const log = (fields: object, message: string) => void lines.push(`${JSON.stringify(fields)} ${message}`)
    const logger: Logger = { ...silentLogger, info: log, warn: log, child: () => logger }
    const { call } = await run(
      ({ logger: own, heartbeat }) => {
        own.info({ header: { auth: secret }, error: new Error(secret) }, `with ${secret}`)
        own.child({ secret }).warn({}, 'fine')
        heartbeat({ at: secret })
        throw new Error(secret)
      },
      {},
      logger,
    )
    await setImmediate()
    assert.equal(lines.length, 3)
    assert.deepEqual(
      lines.filter((line) => line.includes('hunter2')),
      [],
    )
    assert.deepEqual(call.progress, { at: '***' })
  })

  test('has it masked in what its output schema has against it', async () => {
    const output = {
      schema: {},
      validate: (value: Json) => [{ pointer: '/x', message: `is ${JSON.stringify(value)}` }],
    }
    const { command } = await run(() => secret, { output })
    assert.ok(command.type === 'task.fail' && command.error.code === 'output-invalid')
    assert.ok(!command.error.message.includes('hunter2'))
  })
})

suite('a secret', () => {
  const failure = (read: () => unknown): { code?: string; retryable?: boolean; message: string } => {
    try {
      read()
    } catch (error) {
      return error as Error & { code?: string; retryable?: boolean }
    }
    return assert.fail('it is there')
  }

  test('is read from its variable', () => {
    assert.equal(createSecrets({ env: { DAGGER_SECRET_T: 'x\n' } }).read('T'), 'x\n')
  })

  test('is read from its file without the line break at its end, anew each time; the file comes before the variable', (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'secrets-'))
    t.after(() => rmSync(directory, { recursive: true }))
    const found = createSecrets({ directory, env: { DAGGER_SECRET_T: 'variable' } })
    assert.equal(found.read('T'), 'variable')
    writeFileSync(join(directory, 'T'), 'one\r\n')
    assert.equal(found.read('T'), 'one')
    writeFileSync(join(directory, 'T'), 'two')
    assert.equal(found.read('T'), 'two')
  })

  test('that is not there, is empty, or is no file fails the attempt, which is tried again, and says where it was looked for', (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'secrets-'))
    t.after(() => rmSync(directory, { recursive: true }))
    mkdirSync(join(directory, 'D'))
    const found = createSecrets({ directory, env: { DAGGER_SECRET_E: '' } })
    for (const name of ['X', 'E', 'D']) {
      const { code, retryable, message } = failure(() => found.read(name))
      assert.deepEqual([code, retryable], ['secret-not-found', true])
      assert.ok(message.includes(join(directory, name)))
    }
    assert.match(failure(() => found.read('X')).message, /DAGGER_SECRET_X/)
  })
})
