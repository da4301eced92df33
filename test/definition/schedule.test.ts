// Schedules: when a cron text in a time zone is due, and what is refused as none.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { loadWorkflows } from '../../src/definition/parse.ts'
import { compileSchedule, ScheduleError } from '../../src/definition/schedule.ts'
import { timeText } from '../../src/definition/time.ts'

/** The next so many times after this one. */
function times(cron: string, timezone: string, after: string, count: number): readonly string[] {
  const schedule = compileSchedule(cron, timezone)
  const found: string[] = []
  let ms = Date.parse(after)
  while (found.length < count) {
    ms = schedule.next(ms) ?? Number.NaN
    found.push(timeText(ms))
  }
  return found
}

suite('a schedule', () => {
  test('is due at the times of its time zone', () => {
    assert.deepEqual(times('0 6 * * MON-FRI', 'Europe/Paris', '2026-01-02T12:00:00Z', 2), [
      '2026-01-05T05:00:00Z',
      '2026-01-06T05:00:00Z',
    ])
  })

  test('may begin with seconds, or have a name', () => {
    assert.deepEqual(times('*/20 * * * * *', 'UTC', '2026-01-01T00:00:50Z', 2), [
      '2026-01-01T00:01:00Z',
      '2026-01-01T00:01:20Z',
    ])
    assert.deepEqual(times('@daily', 'UTC', '2026-01-01T00:00:00Z', 1), ['2026-01-02T00:00:00Z'])
  })

  test('is next due strictly after the time that is asked for, whatever its milliseconds', () => {
    const { next } = compileSchedule('*/5 * * * * *', 'UTC')
    assert.deepEqual([4_999, 5_000, 5_001, 9_999, 10_000].map(next), [5_000, 10_000, 10_000, 10_000, 15_000])
  })

  test('once a day is due once a day, on the days on which the clocks change too', () => {
    assert.deepEqual(times('30 2 * * *', 'Europe/Paris', '2026-03-28T12:00:00Z', 2), [
      '2026-03-29T01:00:00Z', // 2:30 is left out: 3:00
      '2026-03-30T00:30:00Z',
    ])
    assert.deepEqual(times('30 2 * * *', 'Europe/Paris', '2026-10-24T12:00:00Z', 2), [
      '2026-10-25T00:30:00Z', // the first of two
      '2026-10-26T01:30:00Z',
    ])
  })

  test('every so often is due every so often when the clocks change', () => {
    assert.deepEqual(times('*/30 * * * *', 'Europe/Paris', '2026-03-29T00:15:00Z', 3), [
      '2026-03-29T00:30:00Z',
      '2026-03-29T01:00:00Z',
      '2026-03-29T01:30:00Z',
    ])
  })
})

suite('what is no schedule is refused in words', () => {
  const refused: readonly (readonly [cron: string, zone: string, code: ScheduleError['code'], words: RegExp])[] = [
    ['61 * * * *', 'UTC', 'DW_CRON', /found "61 \* \* \* \*": invalid value for minute: 61$/],
    ['* * * *', 'UTC', 'DW_CRON', /five/],
    ['0 0 0 1 1 * 2030', 'UTC', 'DW_CRON', /6 parts/],
    ['every day', 'UTC', 'DW_CRON', /such as 0 6 \* \* MON-FRI/],
    ['', 'UTC', 'DW_CRON', /found ""/],
    ['0 0 30 2 *', 'UTC', 'DW_CRON', /never due/],
    ['2030-01-01T00:00:00Z', 'UTC', 'DW_CRON', /found "2030/],
    ['@reboot', 'UTC', 'DW_CRON', /@reboot/],
    [`${'0,'.repeat(200)}0 * * * *`, 'UTC', 'DW_CRON', /found/],
    ['0 6 * * *', 'Europe/Pari', 'DW_TIMEZONE', /found "Europe\/Pari"/],
    ['0 6 * * *', '+02:00', 'DW_TIMEZONE', /such as Europe\/Paris/],
  ]
  for (const [cron, zone, code, words] of refused) {
    test(`"${cron.slice(0, 30)}" in ${zone}`, () => {
      assert.throws(
        () => compileSchedule(cron, zone),
        (error: unknown) => error instanceof ScheduleError && error.code === code && words.test(error.message),
      )
    })
  }
})

suite('a workflow file', () => {
  const load = (start: string) =>
    loadWorkflows([{ file: 'f.yaml', text: `workflow: w\nstart:\n${start}\ntasks:\n  - { name: a, type: h }\n` }])

  test('has schedules beside topics, with their defaults', () => {
    const { workflows, problems } = load('  - { topic: t }\n  - { schedule: "0 6 * * *" }')
    assert.deepEqual(problems, [])
    const [schedule] = workflows[0]!.schedules
    assert.deepEqual([schedule?.place, schedule?.overlap, schedule?.catchUpMs], [1, 'skip', 0])
    assert.deepEqual(
      workflows[0]!.start.map(({ topic }) => topic),
      ['t'],
    )
  })

  test('tells bad schedules and time zones at their places', () => {
    const { problems } = load('  - { schedule: "0 25 * * *" }\n  - { schedule: "0 6 * * *", timezone: Mars }')
    assert.deepEqual(
      problems.map(({ code, place }) => [code, place?.line]),
      [
        ['DW_CRON', 3],
        ['DW_TIMEZONE', 4],
      ],
    )
  })

  test('has each schedule once', () => {
    const { problems } = load('  - { schedule: "0 6 * * *" }\n  - { schedule: "0 6 * * *" }')
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['DW_DUPLICATE_START'],
    )
  })

  test('whose schedule is edited has another one; where it stands does not matter', () => {
    const idOf = (start: string): string | undefined => load(start).workflows[0]?.schedules[0]?.id
    const plain = idOf('  - { schedule: "0 6 * * *" }')
    assert.equal(idOf('  - { topic: t }\n  - { schedule: "0 6 * * *" }'), plain)
    assert.notEqual(idOf('  - { schedule: "0 6 * * *", catchUp: 1h }'), plain)
    assert.notEqual(idOf('  - { schedule: "0 7 * * *" }'), plain)
  })

  test('has a schedule with an input in which only `now` is at hand', () => {
    assert.deepEqual(load('  - { schedule: "0 6 * * *", input: { at: "${ now }" } }').problems, [])
    assert.deepEqual(
      load('  - { schedule: "0 6 * * *", input: "${ message.key }" }').problems.map(({ code }) => code),
      ['DW_ROOT_NOT_HERE'],
    )
  })
})
