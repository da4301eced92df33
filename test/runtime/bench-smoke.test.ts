import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { changeText, compare, type Measured } from '../../bench/baseline.ts'
import { chartSvg } from '../../bench/chart.ts'
import { median, type Figure } from '../../bench/figures.ts'
import { readOptions } from '../../bench/options.ts'
import { profiled } from '../../bench/profile/record.ts'
import { summarise, type ProfileSummary } from '../../bench/profile/summary.ts'
import { runChain } from '../../bench/workloads/chain.ts'
import { runFloor } from '../../src/bench/floor.ts'
import { embeddedGround } from '../../src/bench/ground.ts'
import { runLatency } from '../../src/bench/latency.ts'
import { quantile } from '../../src/bench/statistics.ts'
import { runOrder } from '../../src/bench/throughput.ts'

const ground = embeddedGround({ partitions: 12, signal: new AbortController().signal })

suite('the benchmarks', () => {
  test('order completes every instance', async () => {
    const { completed } = await runOrder({ ground, instances: 40, warmUp: 10 })
    assert.equal(completed, 40)
  })

  test('local chain completes every instance, profiled or not', async () => {
    let summary: ProfileSummary | undefined
    const { completed } = await runChain({
      ground,
      instances: 200,
      warmUp: 10,
      measure: (run) => profiled(run, (profile) => (summary = summarise(profile, 10))),
    })
    assert.equal(completed, 200)
    assert.ok(summary !== undefined && summary.functions.length > 0)
    const total = [...summary.byStage.values()].reduce((sum, ms) => sum + ms, 0)
    const byRoom = [...summary.byRoom.values()].reduce((sum, ms) => sum + ms, 0)
    assert.ok(total > 0 && Math.abs(total - byRoom) < 0.01)
  })

  test('the latency run sees every instance complete', async () => {
    const { completed, p50Ms, p99Ms, maxMs } = await runLatency({
      ground,
      instancesPerSecond: 100,
      seconds: 0.3,
      warmUp: 10,
    })
    assert.equal(completed, 30)
    assert.ok(p50Ms > 0 && p50Ms <= p99Ms && p99Ms <= maxMs)
  })

  test('the floor pipes every record', async () => {
    const { records } = await runFloor({ ground, records: 300, warmUpRecords: 30 })
    assert.equal(records, 300)
  })

  test('a figure is the median of its runs, and a quantile the smallest value that so many do not exceed', () => {
    assert.equal(median('x', 'ms', [3, 1, 2]).value, 2)
    assert.equal(median('x', 'ms', [4, 1, 2, 3]).value, 2.5)
    assert.equal(quantile([1, 2, 3, 4], 0.5), 2)
    assert.equal(quantile([1, 2, 3, 4], 0.99), 4)
  })

  test('the chart holds a bar for each figure that has a goal', () => {
    const goal = { atLeast: 1, aim: 2 }
    const svg = chartSvg('a & b', [median('with', 'ms', [1], goal), median('without', 'ms', [1])])
    assert.ok(svg.includes('a &amp; b') && svg.includes('with') && !svg.includes('without'))
  })

  test('a figure is compared with the one of its name and unit, and another machine or form is said', () => {
    const machine = { cpu: 'x', cores: 2, node: 'v24', load: 0, syncMs: 1 }
    const measured = (figures: readonly Figure[], cores = 2): Measured => ({
      at: '2026-01-01T00:00:00Z',
      instances: 10,
      seconds: 1,
      runs: 1,
      machine: { ...machine, cores },
      figures,
    })
    const before = measured([median('a', 'ms', [10]), median('b', 'ms', [1]), median('gone', 'ms', [1])])
    const now = measured([median('a', 'ms', [11]), median('b', 'ratio', [1]), median('new', 'ms', [1])])
    const { figures, notes } = compare(now, { commit: 'c', measured: before })
    assert.deepEqual(
      figures.map(({ what, before, change }) => [what, before, changeText(change)]),
      [['a', 10, '+10 %']],
    )
    assert.deepEqual(notes, [])
    const elsewhere = compare(measured([], 4), { commit: 'c', measured: before })
    assert.match(elsewhere.notes.join(' '), /cores 2 → 4/)
    assert.match(
      chartSvg(
        'x',
        [median('a', 'ms', [9], { atLeast: 1, aim: 2 })],
        compare(measured([median('a', 'ms', [9])]), { commit: 'c', measured: before }),
      ),
      /9 ms \(-10 %\)/,
    )
  })

  test('options that cannot be meant are refused', () => {
    assert.throws(() => readOptions(['--only', 'nothing']), TypeError)
    assert.throws(() => readOptions(['--instances', '0']), TypeError)
    assert.throws(() => readOptions(['--name', '../elsewhere']), TypeError)
    assert.deepEqual([...readOptions(['--only', 'order,chain']).only], ['order', 'chain'])
  })
})
