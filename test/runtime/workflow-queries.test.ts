// Versions of workflows and the instances on each, as a worker tells of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { loadWorkflows } from '../../src/definition/parse.ts'
import { prefixes } from '../../src/records/keys.ts'
import { pack } from '../../src/records/pack.ts'
import { WorkflowCatalogue } from '../../src/runtime/catalogue.ts'
import type { Reading } from '../../src/runtime/reading.ts'
import { CommittedRows } from '../../src/runtime/rows.ts'
import { WorkflowQueries } from '../../src/runtime/workflow-queries.ts'
import { MapStore } from '../support/map-store.ts'
import { greetingWorkflow, startMemoryWorker, type MemoryWorker } from '../support/worker.ts'

const waiting = (label: string, more = ''): string => `workflow: greeting
version: ${label}
start: [{ topic: greetings }]
tasks:
  - { name: wait, type: trigger, delay: "\${ input.delay }"${more} }
`

async function publish({ worker }: MemoryWorker, source: string, ...texts: readonly string[]): Promise<void> {
  const { byFile, problems } = loadWorkflows(texts.map((text, index) => ({ file: `${index}.yaml`, text })))
  assert.deepEqual(problems, [])
  await worker.publish({ source, files: byFile })
}

test('instances are counted on the version that they began with, open ones and all that are kept', async () => {
  const memory = await startMemoryWorker(waiting('one'))
  const { worker } = memory
  const start = async (key: string, delay: string): Promise<void> => {
    const { outcome } = await worker.instances.start({ workflow: 'greeting', key, input: { delay } })
    assert.equal(outcome, 'started')
  }
  await start('a', '1h')
  await start('b', '0s')
  memory.clock.advance(10)
  await publish(memory, 'test', waiting('two'))
  await start('c', '1h')
  await start('d', '1h')
  await memory.until(
    async () => (await worker.instances.list({ limit: 9, status: 'COMPLETED' })).items.length === 1,
    'b is over',
  )

  const versions = await worker.workflows.versions('greeting')
  assert.deepEqual(
    versions?.items.map(({ label, isCurrent, instances, publishedFrom }) => [
      label,
      isCurrent,
      instances,
      publishedFrom,
    ]),
    [
      ['two', true, { open: 2, kept: 2 }, { source: 'test', file: '0.yaml' }],
      ['one', false, { open: 1, kept: 2 }, undefined],
    ],
  )
  assert.deepEqual(versions?.counted, { isComplete: true, instances: 4, partitions: 3, partitionsInAll: 3 })
  const [two, one] = versions?.items ?? []
  assert.ok(two !== undefined && one !== undefined && two.publishedAt > one.publishedAt)

  const { items } = await worker.workflows.list()
  assert.deepEqual(
    items.map(({ name, label, versions: count, instances, instancesInAll }) => [
      name,
      label,
      count,
      instances,
      instancesInAll,
    ]),
    [['greeting', 'two', 2, { open: 2, kept: 2 }, { open: 3, kept: 4 }]],
  )
  await worker.stop()
})

test('a version is found whole, by its address, or by its label; with none asked for it is the current one', async () => {
  const memory = await startMemoryWorker(waiting('one'))
  memory.clock.advance(10)
  await publish(memory, 'test', waiting('two'))
  const { workflows } = memory.worker
  const label = async (version?: string): Promise<string | undefined> =>
    (await workflows.find('greeting', version))?.workflow.label
  const one = (await workflows.versions('greeting'))?.items[1]?.version ?? ''
  assert.deepEqual(await Promise.all([label(), label(one), label(one.slice(9)), label('one')]), [
    'two',
    'one',
    'one',
    'one',
  ])
  assert.deepEqual(
    [await label('three'), await workflows.find('nobody'), await workflows.versions('nobody')],
    [undefined, undefined, undefined],
  )
  const found = await workflows.find('greeting')
  assert.equal(Object(found?.workflow.definition)['version'], 'two')
  await memory.worker.stop()
})

test('a workflow that every source has withdrawn is there by its latest version, and not current', async () => {
  const memory = await startMemoryWorker(waiting('one'))
  await publish(memory, 'test', greetingWorkflow.replace('workflow: greeting', 'workflow: other'))
  const { items } = await memory.worker.workflows.list()
  assert.deepEqual(
    items.map(({ name, isCurrent, publishedFrom }) => [name, isCurrent, publishedFrom?.file]),
    [
      ['greeting', false, undefined],
      ['other', true, '0.yaml'],
    ],
  )
  await memory.worker.stop()
})

test('a count ends at its bound and says so, and so it does where partitions run elsewhere', async () => {
  const {
    workflows: [workflow],
  } = loadWorkflows([{ file: 'f.yaml', text: waiting('one') }])
  const catalogue = new WorkflowCatalogue()
  catalogue.addVersion(workflow!, 0)
  const fields = ['id', 'greeting', workflow!.version, 'key', 'api', null, 0, null, 0, null, null, [], 0]
  let asked = 0
  // Endless: each page is full, whatever was read before.
  const endless: Pick<Reading, 'list' | 'read'> = {
    read: (make) => make(new CommittedRows(new MapStore())),
    list: async ({ limit }) => {
      asked += 1
      return Array.from({ length: limit }, () => ({ key: prefixes.instances, value: pack(2, fields) }))
    },
  }
  const queries = new WorkflowQueries([{ running: undefined }, { running: { reading: endless } }], catalogue)
  const [one, two] = await Promise.all([queries.versions('greeting'), queries.list()])
  assert.deepEqual(one?.counted, {
    isComplete: false,
    instances: limits.instancesCountedMax,
    partitions: 1,
    partitionsInAll: 2,
  })
  assert.deepEqual(one?.items[0]?.instances, { open: limits.instancesCountedMax, kept: limits.instancesCountedMax })
  assert.deepEqual(two.counted, one?.counted)
  assert.equal(asked, Math.ceil((limits.instancesCountedMax + 1) / 256), 'who asks at the same time shares one count')
  const elsewhere = new WorkflowQueries([{ running: undefined }], catalogue)
  assert.deepEqual((await elsewhere.list()).counted, {
    isComplete: false,
    instances: 0,
    partitions: 0,
    partitionsInAll: 1,
  })
})
