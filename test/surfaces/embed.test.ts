// A worker in an embedder's process, by what the package exports.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { ConfigError, startWorker, type EmbeddedWorker, type Update, type WorkerSettings } from '../../src/index.ts'
import { assertPublished } from '../support/update-schemas.ts'

const asking = `
workflow: asking
tasks:
  - { name: asked, type: signal, signal: go }
`

function settingsIn(t: TestContext): WorkerSettings {
  const directory = mkdtempSync(join(tmpdir(), 'dw-embed-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const workflows = join(directory, 'workflows')
  mkdirSync(workflows)
  writeFileSync(join(workflows, 'asking.yaml'), asking)
  return { workflows, data: join(directory, 'data'), port: 0, partitions: 2, logLevel: 'silent' }
}

async function start(t: TestContext, ...given: Parameters<typeof startWorker>): Promise<EmbeddedWorker> {
  const worker = await startWorker(...given)
  t.after(() => worker.stop())
  return worker
}

suite('an embedded worker', () => {
  test('starts, acts on instances, tells of them, and stops', async (t) => {
    const told: Update[] = []
    const settings = settingsIn(t)
    const listeners = process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection')
    const worker = await start(t, settings, { onUpdate: (update) => void told.push(update) })
    assert.equal(
      process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection'),
      listeners,
      'the errors of the process are not ours',
    )
    const answer = await worker.startInstance({ workflow: 'asking', key: 'k', input: null, by: 'billing' })
    assert.ok(answer.outcome === 'started')
    const id = answer.instanceId
    assert.deepEqual((await worker.findInstanceByKey('asking', 'k'))?.waitingAt, ['asked'])
    assert.deepEqual(
      (await worker.listInstances({ limit: 10 })).items.map((item) => item.id),
      [id],
    )
    const done = await worker.operateInstance(id, { kind: 'signal', name: 'go', payload: null }, 'ann')
    assert.deepEqual(done, { outcome: 'done' })
    const view = await worker.findInstance(id)
    assert.equal(view?.status, 'COMPLETED')
    assert.deepEqual(
      told.map(({ type, sequence, data }) => [type.replace('dagger-worker.', ''), Number(sequence), data.by]),
      [
        ['instance.started', 1, 'billing'],
        ['task.executing', 2, undefined],
        ['instance.operated', 3, 'ann'],
        ['task.completed', 4, undefined],
        ['instance.completed', 5, undefined],
      ],
    )
    told.forEach(assertPublished)
    assert.equal(view.timeline.length, told.length)
    assert.equal((await fetch(`${worker.url}/service/ready`)).status, 200)
    await worker.stop()
    await worker.stop()
    await worker.stopped
  })

  test('tells what was committed to several callbacks, the topic as well, and goes on where they throw', async (t) => {
    const told: string[] = []
    const worker = await start(
      t,
      { ...settingsIn(t), updates: true },
      {
        onUpdate: [
          () => {
            throw new Error('broken')
          },
          ({ id }) => told.push(id),
        ],
      },
    )
    const answer = await worker.startInstance({ workflow: 'asking', key: 'k', input: null })
    assert.ok(answer.outcome === 'started')
    await worker.operateInstance(answer.instanceId, { kind: 'suspend' }, 'ann')
    assert.deepEqual(
      told,
      [1, 2, 3].map((number) => `${answer.instanceId}/${number}`),
    )
    assert.equal(worker.view().counters['updates_written'], 3)
  })

  test('is told every problem of its settings at once, and starts nothing', async () => {
    const settings = { workflows: '/nowhere', partitions: 0, updates: 'yes', prot: 7070 }
    await assert.rejects(startWorker(settings as unknown as WorkerSettings), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.deepEqual(
        new Set(error.problems.map(({ code, path }) => `${code} ${path}`)),
        new Set(['DW_CONFIG partitions', 'DW_CONFIG updates', 'DW_CONFIG_UNKNOWN prot']),
      )
      assert.equal(error.problems.find(({ path }) => path === 'prot')?.suggestion, 'port')
      return true
    })
    await assert.rejects(startWorker({ workflows: '/nowhere' }), { code: 'DW_CONFIG_DIRECTORY' })
    const secret = { kafkaSaslPassword: 'hunter2' } as unknown as WorkerSettings
    await assert.rejects(startWorker(secret), (error: Error) => !error.message.includes('hunter2'))
  })
})
