// Which client may claim what: the conformance suite decides, and a worker is held to it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkGuarantee, kafkaClient } from '../../src/adapters/clients.ts'
import { ConfigError } from '../../src/base/errors.ts'
import { kafkajs } from '../conformance/adapters/kafkajs.ts'
import { platformatic } from '../conformance/adapters/platformatic.ts'

test('a client is asked for no more than it may claim', () => {
  const weak = { name: 'weak', guarantee: 'at-least-once' } as const
  assert.throws(
    () => checkGuarantee(weak, 'exactly-once'),
    (error) => error instanceof ConfigError && error.problems[0]?.code === 'DW_GUARANTEE',
  )
  assert.doesNotThrow(() => checkGuarantee(weak, 'at-least-once'))
})

test('a client claims exactly-once only if the conformance suite is held as a whole', async () => {
  for (const [name, adapter] of [
    ['platformatic', platformatic],
    ['kafkajs', kafkajs],
  ] as const) {
    const client = await kafkaClient(name)
    const isHeld = Object.keys(adapter.notHeld).length === 0
    assert.equal(client.guarantee, isHeld ? 'exactly-once' : 'at-least-once')
    assert.doesNotThrow(() => checkGuarantee(client, client.guarantee))
  }
})
