import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { CommitWindow } from '../../src/runtime/commit-window.ts'
import { Bell } from '../../src/runtime/wake.ts'

const full = limits.uncommittedInputsMax

/** A batch of which the test says how it ends. */
async function batchIn(window: CommitWindow, inputs: number, sinceMs = 0) {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  await window.during(inputs, sinceMs, () => Promise.resolve({ done: promise }))
  return { commit: resolve, fail: reject, promise }
}

/** True where the bell rings by the next turn. */
async function isRung(bell: Bell): Promise<boolean> {
  const next = new Promise<false>((resolve) => setImmediate(() => resolve(false)))
  return Promise.race([bell.heard().then(() => true), next])
}

test('there is room until so much is not committed; who was refused hears of the commit', async () => {
  const window = new CommitWindow()
  const bell = new Bell()
  const first = await batchIn(window, full - 1)
  assert.equal(window.admits(bell, 0), true)
  const second = await batchIn(window, 1)
  assert.equal(window.admits(bell, 0), false)
  assert.equal(await isRung(bell), false)
  second.commit()
  assert.equal(await isRung(bell), true)
  assert.equal(window.admits(bell, 0), true)
  first.commit()
  assert.equal(await isRung(bell), false, 'who was let in waits no more')
})

test('a commit that fails, and a batch that comes to nothing, give their room back', async () => {
  const window = new CommitWindow()
  const bell = new Bell()
  const batch = await batchIn(window, full)
  assert.equal(window.admits(bell, 0), false)
  batch.fail(new Error('fenced'))
  await assert.rejects(batch.promise)
  assert.equal(await isRung(bell), true)

  await window.during(full, 0, () => Promise.resolve(undefined))
  assert.equal(window.admits(bell, 0), true)
  await assert.rejects(
    window.during(full, 0, () => Promise.reject(new Error('a bug'))),
    /a bug/,
  )
  assert.equal(window.admits(bell, 0), true)
})

test('a batch takes its room from before it is decided', async () => {
  const window = new CommitWindow()
  const decided = Promise.withResolvers<undefined>()
  const whole = window.during(full, 0, () => decided.promise)
  assert.equal(window.admits(new Bell(), 0), false)
  decided.resolve(undefined)
  await whole
  assert.equal(window.admits(new Bell(), 0), true)
})

test('what the log does not get through holds up nobody else for longer than a moment', async () => {
  const window = new CommitWindow()
  const bell = new Bell()
  await batchIn(window, full, 1_000)
  assert.equal(window.admits(bell, 999 + limits.commitPatienceMs), false)
  assert.equal(window.admits(bell, 1_000 + limits.commitPatienceMs), true)
})

test('a partition that is closed is rung no more', async () => {
  const window = new CommitWindow()
  const bell = new Bell()
  const batch = await batchIn(window, full)
  assert.equal(window.admits(bell, 0), false)
  window.forget(bell)
  batch.commit()
  assert.equal(await isRung(bell), false)
})
