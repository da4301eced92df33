import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { CommitWindow } from '../../src/runtime/commit-window.ts'
import { ManualClock } from '../../src/adapters/memory/clock.ts'
import { Bell } from '../../src/runtime/wake.ts'

const full = limits.uncommittedInputsMax

/** A batch of which the test says how it ends. */
async function batchIn(window: CommitWindow, inputs: number, sinceMs = 0) {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  await window.during(inputs, sinceMs, () => Promise.resolve({ done: promise }))
  return { commit: resolve, fail: reject, promise }
}

/** Waits for room; `isOver` tells whether that has come to an end by the next turn. */
function waitFor(window: CommitWindow, bell: Bell, clock = new ManualClock(0)) {
  let hasEnded = false
  void window.room(bell, clock).then(() => (hasEnded = true))
  const isOver = async (): Promise<boolean> => {
    await new Promise((resolve) => setImmediate(resolve))
    return hasEnded
  }
  return { isOver, clock }
}

test('there is room until so much is not committed; who was refused hears of the commit', async () => {
  const window = new CommitWindow()
  const bell = new Bell()
  await batchIn(window, full - 1)
  assert.equal(window.admits(bell, 0), true)
  const second = await batchIn(window, 1)
  assert.equal(window.admits(bell, 0), false)
  const { isOver } = waitFor(window, bell)
  assert.equal(await isOver(), false)
  second.commit()
  assert.equal(await isOver(), true)
  assert.equal(window.admits(bell, 0), true)
})

test('a commit that fails, and a batch that comes to nothing, give their room back', async () => {
  const window = new CommitWindow()
  const bell = new Bell()
  const batch = await batchIn(window, full)
  assert.equal(window.admits(bell, 0), false)
  const { isOver } = waitFor(window, bell)
  batch.fail(new Error('fenced'))
  await assert.rejects(batch.promise)
  assert.equal(await isOver(), true)
  assert.equal(window.admits(bell, 0), true)

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

test('who waits for longer goes first, whoever asks first', async () => {
  const window = new CommitWindow()
  const [first, second, newcomer] = [new Bell(), new Bell(), new Bell()]
  await batchIn(window, full - limits.batchInputsMax)
  const batch = await batchIn(window, limits.batchInputsMax)
  const waiting = [waitFor(window, first), waitFor(window, second)]
  batch.commit()
  for (const { isOver } of waiting) assert.equal(await isOver(), true)
  assert.equal(window.admits(newcomer, 0), false)
  assert.equal(window.admits(second, 0), false)
  assert.equal(window.admits(first, 0), true)
  assert.equal(window.admits(second, 0), true, 'the first has found nothing to decide')
})

test('who waits holds up nobody once nothing is under way', async () => {
  const window = new CommitWindow()
  const batch = await batchIn(window, full)
  const waiting = Array.from({ length: 100 }, () => waitFor(window, new Bell()))
  batch.commit()
  for (const { isOver } of waiting) assert.equal(await isOver(), true)
  assert.equal(window.admits(new Bell(), 0), true)
})

test('what the log does not get through holds up nobody else for longer than a moment', async () => {
  const window = new CommitWindow()
  const bell = new Bell()
  await batchIn(window, full, 1_000)
  assert.equal(window.admits(bell, 999 + limits.commitPatienceMs), false)
  const { isOver, clock } = waitFor(window, bell, new ManualClock(1_000))
  clock.advance(limits.commitPatienceMs - 1)
  assert.equal(await isOver(), false)
  clock.advance(1)
  assert.equal(await isOver(), true)
  assert.equal(window.admits(bell, clock.nowMs()), true)
})

test('a partition that is closed is rung no more, and nobody stands behind it', async () => {
  const window = new CommitWindow()
  const bell = new Bell()
  const batch = await batchIn(window, full)
  const { isOver } = waitFor(window, bell)
  await isOver()
  window.forget(bell)
  batch.commit()
  assert.equal(await isOver(), false)
})
