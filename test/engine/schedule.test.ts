// Schedules: what is due starts once (Z1), late or after days away (Z2), and overlaps only where it may (Z3).
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { engineWorld, workflowOf, type EngineWorld } from '../support/engine.ts'

const every = (cron: string, more = '', ...head: readonly string[]): string =>
  workflowOf(['- { name: h, type: work }'], `start: [{ schedule: "${cron}"${more} }]`, ...head)
const minutely = (more = '', ...head: readonly string[]): string => every('* * * * *', more, ...head)

/** Due times that started an instance, in order. */
const started = (world: EngineWorld): readonly string[] =>
  world.eventsOf('instance.started').map(({ row }) => row.key.slice('w@2026-01-'.length, -':00Z'.length))
const skipped = (world: EngineWorld): readonly string[] =>
  world.eventsOf('schedule.skipped').map(({ reason }) => reason)
const count = (world: EngineWorld): number => world.eventsOf('instance.started').length

/** Nobody is up for so long; then a worker is. */
function away(world: EngineWorld, minutes: number): void {
  world.nowMs += minutes * 60_000
  world.sync()
  world.advance('0s')
}

function end(world: EngineWorld): void {
  world.grantAll()
  world.complete('h')
}

suite('a schedule', () => {
  test('starts an instance at each of its times, with the time in its key and its origin', () => {
    const world = engineWorld(every('0 6 * * MON-FRI', ', timezone: Europe/Paris'))
    world.advance('36h')
    assert.deepEqual(started(world), ['01T05:00'])
    const instance = world.instance('w@2026-01-01T05:00:00Z')
    assert.deepEqual([instance.origin, instance.input.value], ['schedule 2026-01-01T05:00:00Z', null])
  })

  test('gives the input that its template makes of the time that was due', () => {
    const world = engineWorld(minutely(', input: { at: "${ now }" }'))
    world.nowMs += 70_000
    world.advance('0s')
    assert.deepEqual(world.instance('w@2026-01-01T00:01:00Z').input.value, { at: '2026-01-01T00:01:00.000Z' })
  })

  test('begins with the first time after its workflow was published', () => {
    const world = engineWorld(minutely())
    assert.equal(count(world), 0)
    world.advance('59s')
    assert.equal(count(world), 0)
    world.advance('1s')
    assert.deepEqual(started(world), ['01T00:01'])
  })

  test('lives on the partition of the workflow’s name, and its instances where their keys belong', () => {
    const world = engineWorld(minutely(', overlap: all'))
    world.advance('10m')
    const partitions = world.stores.map((store) => store.keys('s/').length)
    assert.deepEqual(partitions.indexOf(1), world.partitionOf('w'))
    const homes = new Set(world.eventsOf('instance.started').map(({ row }) => row.id.slice(27)))
    assert.ok(homes.size > 1)
    for (const { row } of world.eventsOf('instance.started'))
      assert.equal(Number(row.id.slice(27)), world.partitionOf(row.key))
  })

  test('starts the version that is current when it is due', () => {
    const world = engineWorld(minutely(', overlap: all'))
    world.advance('1m')
    const [second] = world.publish(minutely(', overlap: all', 'description: newer'))
    world.advance('1m')
    assert.equal(world.instance('w@2026-01-01T00:02:00Z').version, second?.version)
    assert.deepEqual(started(world), ['01T00:01', '01T00:02'])
  })

  test('whose input does not fit tells the operator, and goes on', () => {
    const world = engineWorld(minutely('', 'input: { type: object }'))
    world.advance('2m')
    assert.equal(count(world), 0)
    assert.equal(world.alarms.length, 2)
    assert.match(world.alarms[0] ?? '', /schedule of w could not start w@2026-01-01T00:01:00Z/)
  })

  test('starts nothing where an instance has the key already', () => {
    const world = engineWorld(minutely('', 'onRunning: queue'))
    world.start('w', 'w@2026-01-01T00:01:00Z')
    world.advance('1m')
    assert.equal(count(world), 1)
    world.advance('1m')
    assert.deepEqual(started(world), ['01T00:01', '01T00:02'])
  })
})

suite('overlap', () => {
  test('skip: what comes while the last one runs is dropped', () => {
    const world = engineWorld(minutely())
    world.advance('3m')
    assert.deepEqual([started(world), skipped(world)], [['01T00:01'], ['running', 'running']])
    end(world)
    world.advance('1m')
    assert.deepEqual(started(world), ['01T00:01', '01T00:04'])
  })

  test('all: each is started', () => {
    const world = engineWorld(minutely(', overlap: all'))
    world.advance('3m')
    assert.deepEqual(started(world), ['01T00:01', '01T00:02', '01T00:03'])
  })

  test('latest: the newest waits for the one that runs to end', () => {
    const world = engineWorld(minutely(', overlap: latest'))
    world.advance('3m')
    assert.deepEqual(started(world), ['01T00:01'])
    end(world)
    assert.deepEqual([started(world), skipped(world)], [['01T00:01', '01T00:03'], ['running']])
    end(world)
    assert.equal(count(world), 2)
  })

  const slow = '{ schedule: "*/2 * * * *", overlap: latest }'
  const fast = '{ schedule: "3-59 * * * *", overlap: all }'
  for (const triggers of [`${slow}, ${fast}`, `${fast}, ${slow}`]) {
    test(`a time that two schedules share starts once, whoever has to wait: ${triggers}`, () => {
      const world = engineWorld(workflowOf(['- { name: h, type: work }'], `start: [${triggers}]`, 'retention: 0s'))
      const stop = (minute: number): void => {
        const { id, key } = world.instance(`w@2026-01-01T00:0${minute}:00Z`)
        world.input(world.partitionOf(key), { type: 'instance.stop', instanceId: id, reason: 'x' })
        world.grantAll()
      }
      world.advance('4m')
      assert.deepEqual(started(world), ['01T00:02', '01T00:03', '01T00:04'])
      stop(4)
      stop(2)
      world.advance('1s')
      assert.deepEqual(started(world), ['01T00:02', '01T00:03', '01T00:04'])
    })
  }

  test('what ended without having begun does not hold up the next', () => {
    const world = engineWorld(minutely('', 'vars: { x: "${ input.missing }" }'))
    world.advance('2m')
    assert.equal(world.alarms.length, 2)
  })

  test('an instance that fails, is stopped, or is kept no time lets the next one start', () => {
    const world = engineWorld(minutely('', 'retention: 0s'))
    world.advance('1m')
    end(world)
    world.advance('1m')
    const [, second] = world.eventsOf('instance.started')
    world.input(world.partitionOf(second!.row.key), { type: 'instance.stop', instanceId: second!.row.id, reason: 'x' })
    world.advance('1m')
    assert.deepEqual(started(world), ['01T00:01', '01T00:02', '01T00:03'])
  })

  test('skip with several to make up for: the first is started, and runs while the others are looked at', () => {
    const world = engineWorld(minutely(', catchUp: 1h'))
    away(world, 5)
    assert.deepEqual(started(world), ['01T00:01'])
  })
})

suite('time in which no worker was up', () => {
  test('of a few seconds loses nothing', () => {
    const world = engineWorld(every('0 * * * *'))
    world.nowMs += 3_605_000
    world.advance('0s')
    assert.deepEqual(started(world), ['01T01:00'])
  })

  test('is not made up for without catchUp: only what is due now is started', () => {
    const world = engineWorld(minutely(', overlap: all'))
    away(world, 24 * 60)
    assert.deepEqual(started(world), ['02T00:00'])
    world.advance('1m')
    assert.deepEqual(started(world), ['02T00:00', '02T00:01'])
  })

  test('leaves out what was due longer than a minute ago, and goes on with the next', () => {
    const world = engineWorld(every('0 0 * * *', ', overlap: all'))
    away(world, 3 * 24 * 60 + 2)
    assert.equal(count(world), 0)
    world.advance('24h')
    assert.deepEqual(started(world), ['05T00:00'])
  })

  test('is made up for as far back as catchUp says, in order', () => {
    const world = engineWorld(every('0 * * * *', ', overlap: all, catchUp: 3h'))
    away(world, 48 * 60 + 30)
    assert.deepEqual(started(world), ['02T22:00', '02T23:00', '03T00:00'])
  })

  test('of years costs no look at each time, and many times are started in turns', () => {
    const world = engineWorld(every('* * * * * *', ', overlap: all, catchUp: 5m'))
    world.nowMs += 3 * 365 * 86_400_000
    world.advance('0s')
    assert.equal(count(world), 301)
    const sets = world.eventsOf('schedule.set').length
    assert.ok(sets >= 301 / limits.scheduleTimesMax && sets < 10, `${sets} decisions`)
  })
})

suite('a clock', () => {
  test('that jumps ahead starts what is due then, and what was passed over is missed', () => {
    const world = engineWorld(minutely(', overlap: all'))
    away(world, 600)
    assert.deepEqual(started(world), ['01T10:00'])
  })

  test('that goes back by a little on another machine starts nothing twice', () => {
    const world = engineWorld(minutely(', overlap: all', 'retention: 0s'))
    world.advance('5m')
    world.grantAll()
    world.nowMs -= 30_000
    world.sync()
    world.advance('90s')
    assert.deepEqual(started(world).slice(4), ['01T00:05', '01T00:06'])
  })

  test('that had been far ahead is not waited for, and what was started then does not start twice', () => {
    const world = engineWorld(every('0 * * * *', ', overlap: all'))
    away(world, 5 * 60)
    assert.deepEqual(started(world), ['01T05:00'])
    away(world, -5 * 60 + 10)
    world.advance('6h')
    assert.deepEqual(started(world), ['01T05:00', '01T01:00', '01T02:00', '01T03:00', '01T04:00', '01T06:00'])
  })

  test('that goes back leaves alone what runs', () => {
    const world = engineWorld(every('0 * * * *'))
    away(world, 5 * 60)
    away(world, -5 * 60 + 10)
    world.advance('2h')
    assert.deepEqual([count(world), skipped(world)], [1, ['running', 'running']])
  })
})

suite('a change of definitions', () => {
  test('that takes the schedule away takes its row and its timer away', () => {
    const world = engineWorld(minutely())
    world.publish(workflowOf(['- { name: h, type: work }']))
    assert.deepEqual([world.timers(), world.stores.flatMap((store) => store.keys('s/'))], [[], []])
    world.advance('5m')
    assert.equal(count(world), 0)
  })

  test('that takes the workflow away does so too, and one that brings it back begins anew', () => {
    const world = engineWorld(minutely(', catchUp: 1h'))
    world.withdraw('w')
    assert.deepEqual(world.timers(), [])
    world.advance('5m')
    world.publish(minutely(', catchUp: 1h'))
    world.advance('1m')
    assert.deepEqual(started(world), ['01T00:06'])
  })

  test('that edits a schedule makes it another one: what was due before is not its own', () => {
    const world = engineWorld(every('*/10 * * * *', ', catchUp: 1h'))
    world.nowMs += 12 * 60_000
    world.publish(every('*/5 * * * *', ', catchUp: 1h'))
    world.advance('4m')
    assert.deepEqual(started(world), ['01T00:15'])
  })

  test('that leaves it as it is leaves its times as they are', () => {
    const world = engineWorld(every('*/10 * * * *', ', catchUp: 1h'))
    world.nowMs += 12 * 60_000
    world.publish(every('*/10 * * * *', ', catchUp: 1h', 'description: newer'))
    world.advance('0s')
    assert.deepEqual(started(world), ['01T00:10'])
  })

  test('that is decided only after the timer has fired starts nothing', () => {
    const world = engineWorld(minutely())
    const [timer] = world.timers()
    world.catalogue.setManifest('test', new Map())
    world.catalogue.index()
    world.nowMs += 60_000
    world.input(timer!.partition, { type: 'timer.fire', timer: timer!.key })
    assert.deepEqual([count(world), world.timers()], [0, []])
  })

  test('while one runs: its end finds no schedule, and what waited does not start', () => {
    const world = engineWorld(minutely(', overlap: latest'))
    world.advance('2m')
    world.withdraw('w')
    end(world)
    assert.equal(count(world), 1)
    assert.ok(world.rejections.some(({ command }) => command === 'schedule.ended'))
  })

  test('in two schedules of one workflow: each has its own times, and one instance where they meet', () => {
    const world = engineWorld(
      workflowOf(
        ['- { name: h, type: work }'],
        'start: [{ schedule: "*/2 * * * *" }, { schedule: "*/3 * * * *", overlap: all }]',
      ),
    )
    world.advance('6m')
    assert.deepEqual(started(world), ['01T00:02', '01T00:03', '01T00:06'])
    assert.equal(world.timers().filter(({ key }) => key.includes('/s/')).length, 2)
  })

  test('a timer that was lost is armed again', () => {
    const world = engineWorld(minutely())
    const [timer] = world.timers()
    world.lose(timer!.partition, `t/${timer!.key}`)
    world.sync()
    world.advance('1m')
    assert.deepEqual(started(world), ['01T00:01'])
  })
})
