import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { engineWorld, workflowOf } from '../support/engine.ts'

/** A parallel of two handlers `a` and `b`, each failing its branch, and a task behind it. */
const race = (join: string, more = ''): string =>
  workflowOf([
    `- name: both`,
    `  type: parallel`,
    `  join: ${join}${more}`,
    `  branches:`,
    `    - [{ name: a, type: h, retry: { maxAttempts: 1 }, onFailure: fail }]`,
    `    - [{ name: b, type: h, retry: { maxAttempts: 1 }, onFailure: fail }]`,
    `- { name: after, type: set, set: { done: true } }`,
  ])

suite('parallel', () => {
  test('its branches run beside one another, and with `join: all` it is complete when all are', () => {
    const world = engineWorld(race('all'))
    world.start('w', 'k')
    world.grantAll()
    assert.deepEqual(
      world.runs.map(({ name }) => name),
      ['a', 'b'],
    )
    world.complete('b')
    assert.equal(world.task('k', 'both')?.status, 'EXECUTING')
    world.complete('a')
    assert.equal(world.task('k', 'both')?.status, 'COMPLETED')
    assert.deepEqual(world.vars('k'), { done: true })
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('with `join: all` the first failure fails it, and the other branches are stopped', () => {
    const world = engineWorld(race('all'))
    world.start('w', 'k')
    world.grantAll()
    world.fail('a', 'broken')
    assert.deepEqual(world.tasks('k'), {
      both: 'FAILED',
      'both[0]': 'FAILED',
      a: 'FAILED',
      'both[1]': 'STOPPED',
      b: 'STOPPED',
      after: 'NOT_STARTED',
    })
    assert.equal(world.status('k'), 'FAILED')
    assert.equal(world.instance('k').error?.code, 'broken')
  })

  test('with `join: first` the first to end decides, and what is not needed any more is stopped', () => {
    const world = engineWorld(race('first'))
    world.start('w', 'k')
    world.grantAll()
    world.complete('b')
    assert.equal(world.task('k', 'a')?.status, 'STOPPED')
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('with `join: first` the first to end decides even by failing', () => {
    const world = engineWorld(race('first'))
    world.start('w', 'k')
    world.grantAll()
    world.fail('b')
    assert.equal(world.task('k', 'a')?.status, 'STOPPED')
    assert.equal(world.status('k'), 'FAILED')
  })

  test('with `join: any` the first success completes it, and it fails when all have failed', () => {
    const one = engineWorld(race('any'))
    one.start('w', 'k')
    one.grantAll()
    one.fail('a')
    assert.equal(one.task('k', 'both')?.status, 'EXECUTING')
    one.complete('b')
    assert.equal(one.status('k'), 'COMPLETED')
    const none = engineWorld(race('any'))
    none.start('w', 'k')
    none.grantAll()
    none.fail('a')
    none.fail('b', 'last')
    assert.equal(none.status('k'), 'FAILED')
    assert.equal(none.instance('k').error?.code, 'last')
  })

  test('with a number as join so many successes complete it', () => {
    const world = engineWorld(race('2'))
    world.start('w', 'k')
    world.grantAll()
    world.complete('a')
    assert.equal(world.task('k', 'both')?.status, 'EXECUTING')
    world.complete('b')
    assert.equal(world.status('k'), 'COMPLETED')
    const short = engineWorld(race('2'))
    short.start('w', 'k')
    short.grantAll()
    short.fail('a')
    assert.equal(short.status('k'), 'FAILED')
  })

  test('a branch with an incident counts as unfinished', () => {
    const world = engineWorld(race('first').replace(', onFailure: fail }]\n', ' }]\n'))
    world.start('w', 'k')
    world.grantAll()
    world.fail('a')
    assert.equal(world.tasks('k')['a'], 'INCIDENT')
    assert.equal(world.task('k', 'both')?.status, 'EXECUTING')
    world.complete('b')
    assert.equal(world.tasks('k')['a'], 'STOPPED')
    assert.equal(world.status('k'), 'COMPLETED')
  })

  test('a branch in which nothing ran decides nothing; with all of them skipped, so is the whole', () => {
    const world = engineWorld(
      workflowOf([
        `- name: both`,
        `  type: parallel`,
        `  join: first`,
        `  branches:`,
        `    - [{ name: a, type: set, when: 'false', set: { a: 1 } }]`,
        `    - [{ name: b, type: trigger, when: input.wait, delay: 1s }]`,
        `- { name: after, type: set, set: { done: true } }`,
      ]),
    )
    world.start('w', 'k', { wait: true })
    assert.equal(world.task('k', 'both')?.status, 'EXECUTING')
    world.advance('1s')
    assert.equal(world.task('k', 'both')?.status, 'COMPLETED')
    world.start('w', 'l', { wait: false })
    assert.equal(world.task('l', 'both')?.status, 'SKIPPED')
    assert.deepEqual(world.vars('l'), { done: true })
  })

  test('another attempt begins its branches anew', () => {
    const world = engineWorld(race('all', '\n    retry: { maxAttempts: 2, initialInterval: 1s, jitter: 0 }'))
    world.start('w', 'k')
    world.grantAll()
    world.fail('a')
    assert.equal(world.task('k', 'both')?.status, 'SUBMITTED')
    world.advance('1s')
    world.grantAll()
    world.complete('a')
    world.complete('b')
    assert.equal(world.status('k'), 'COMPLETED')
  })
})
