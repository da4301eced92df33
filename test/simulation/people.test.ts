import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Unavailable, type StartAnswer, type StartRequest } from '../../src/runtime/face.ts'
import { People } from './people.ts'
import type { CallAct } from './plan.ts'
import { createWorld } from './world.ts'

const act: CallAct = {
  kind: 'call',
  ...{ atMs: 10, workflow: 'order', key: 'o-1', input: {}, idempotencyKey: 'k-1' },
}
const started: StartAnswer = { outcome: 'started', instanceId: 'i-1', key: 'o-1' }
const repeated: StartAnswer = { outcome: 'repeated', instanceId: 'i-1', key: 'o-1' }

/** People before one worker that answers by turns; gives what they were told, and what they asked. */
async function ask(one: CallAct, answers: readonly (() => Promise<StartAnswer>)[]) {
  const world = createWorld({ seed: 1, partitions: 1 })
  world.start('w1')
  const asked: StartRequest[] = []
  const worker = { instances: { start: (request: StartRequest) => answers[asked.push(request) - 1]!() } }
  const people = new People(world, [one], () => new Map([['w1', worker]]))
  await world.scheduler.runUntil(() => asked.length === answers.length, 2_000)
  await world.scheduler.runUntil(() => false, 200)
  return { asked, call: people.calls[0]! }
}

test('who is told that it is not known, or not possible now, asks again under the same key', async () => {
  const { asked, call } = await ask(act, [
    () => Promise.reject(new Unavailable('not-ready', '')),
    () => Promise.reject(new Unavailable('outcome-unknown', '')),
    () => Promise.resolve(repeated),
  ])
  assert.deepEqual(
    asked.map(({ idempotencyKey }) => idempotencyKey),
    ['k-1', 'k-1', 'k-1'],
  )
  assert.deepEqual(
    call.answers.map(({ answer }) => answer),
    [repeated],
  )
})

test('who gets no answer asks again, and notes the one that comes after all', async () => {
  let answerLate = (_answer: StartAnswer): void => {}
  const { call } = await ask(act, [
    () => new Promise((resolve) => (answerLate = resolve)),
    () => {
      answerLate(started)
      return Promise.resolve(repeated)
    },
  ])
  assert.deepEqual(
    call.answers.map(({ answer }) => answer.outcome),
    ['started', 'repeated'],
  )
})

test('some ask once more after they were answered', async () => {
  const { call } = await ask({ ...act, asksAgainAfterMs: 50 }, [
    () => Promise.resolve(started),
    () => Promise.resolve(repeated),
  ])
  assert.deepEqual(
    call.answers.map(({ answer }) => answer.outcome),
    ['started', 'repeated'],
  )
})

test('what a worker throws and its face does not tell of is a failure', async () => {
  const { call } = await ask(act, [() => Promise.reject(new TypeError('a bug')), () => Promise.resolve(started)])
  assert.deepEqual(call.failures, ['TypeError: a bug'])
})
