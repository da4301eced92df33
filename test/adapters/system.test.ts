import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { createIds } from '../../src/adapters/system/ids.ts'
import { createLogger } from '../../src/adapters/system/log.ts'

test('ids are 26 lower-case letters and digits, the time first', () => {
  const ids = createIds(
    () => 1_469_918_176_385,
    () => new Uint8Array(10),
  )
  assert.equal(ids.next(), '01aryz6s410000000000000000')
  assert.match(createIds().next(), /^[0-9a-hjkmnp-tv-z]{26}$/)
})

test('ids sort by creation, within a millisecond and when the clock goes back too', () => {
  let nowMs = 1_000
  const ids = createIds(() => nowMs)
  const made: string[] = []
  for (let i = 0; i < 500; i++) {
    made.push(ids.next())
    if (i % 100 === 50) nowMs -= 10
    if (i % 100 === 99) nowMs += 1_000
  }
  assert.deepEqual([...made].sort(), made)
  assert.equal(new Set(made).size, made.length)
})

test('ids go on when the random part of a millisecond is used up', () => {
  const ids = createIds(
    () => 5,
    () => new Uint8Array(10).fill(255),
  )
  const [first, second] = [ids.next(), ids.next()]
  assert.ok(second > first)
  assert.match(second, /^[0-9a-z]{26}$/)
})

test('a delay longer than Node can count does not fire at once, and is cancelled', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let fired = 0
  systemClock.after(2 ** 31 + 10, () => (fired += 1))
  const cancel = systemClock.after(2 ** 33, () => (fired += 100))
  t.mock.timers.tick(2 ** 31 - 1)
  assert.equal(fired, 0)
  t.mock.timers.tick(11)
  assert.equal(fired, 1)
  cancel()
  for (let i = 0; i < 5; i++) t.mock.timers.tick(2 ** 31 - 1)
  assert.equal(fired, 1)
})

test('a delay in the past is due at once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let fired = 0
  systemClock.after(-5, () => (fired += 1))
  t.mock.timers.tick(0)
  assert.equal(fired, 1)
})

test('log lines are JSON with level names and RFC 3339 times, or text for people', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dw-log-'))
  const file = join(folder, 'log')
  const descriptor = openSync(file, 'w')
  const logger = createLogger({ level: 'info', isJson: true, descriptor })
  logger.child({ partition: 3 }).info({ records: 2 }, 'committed')
  logger.debug({}, 'not shown')
  createLogger({ level: 'warn', isJson: false, descriptor }).warn({}, 'for people')
  const [json, text, end] = readFileSync(file, 'utf8').split('\n')
  closeSync(descriptor)
  rmSync(folder, { recursive: true })
  const line = JSON.parse(json!)
  assert.deepEqual([line.level, line.partition, line.records, line.msg], ['info', 3, 2, 'committed'])
  assert.match(line.time, /^\d{4}-\d\d-\d\dT/)
  assert.match(text!, /WARN.*for people/)
  assert.equal(end, '')
})
