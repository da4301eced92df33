// Which of the directories that workers publish under one name is current.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { loadWorkflows } from '../../src/definition/parse.ts'
import { greetingWorkflow, startMemoryWorker, type MemoryWorker } from '../support/worker.ts'

const labelled = (label: string): string => `${greetingWorkflow}version: ${label}\n`

async function publish({ worker }: MemoryWorker, label: string, revision?: number, source = 'test') {
  const { byFile } = loadWorkflows([{ file: 'test.yaml', text: labelled(label) }])
  return await worker.publish({ source, revision, files: byFile })
}
const current = ({ worker }: MemoryWorker): string | undefined => worker.view().workflows[0]?.label

suite('a publication', () => {
  test('with a lower revision than the one that is current is refused, told, and leaves that one current', async () => {
    const memory = await startMemoryWorker(labelled('none'))
    assert.deepEqual(await publish(memory, 'seven', 7), [])
    const [refusal] = await publish(memory, 'six', 6)
    assert.equal(refusal?.code, 'DW_REVISION')
    assert.deepEqual(memory.worker.view().definitionProblems, [refusal])
    assert.equal(current(memory), 'seven')
    const [manifest] = memory.values('test.definitions').filter((value) => Object.hasOwn(value as object, 'revision'))
    assert.equal((manifest as { revision: number }).revision, 7)
  })

  test('with the same or a higher one, or with none, is current', async () => {
    const memory = await startMemoryWorker(labelled('none'))
    for (const [label, revision] of [
      ['seven', 7],
      ['seven-again', 7],
      ['eight', 8],
      ['without', undefined],
      ['one', 1],
    ] as const) {
      assert.deepEqual(await publish(memory, label, revision), [])
      assert.equal(current(memory), label)
    }
  })

  test('is compared with those of its own source only', async () => {
    const memory = await startMemoryWorker(labelled('none'))
    await publish(memory, 'seven', 7)
    assert.deepEqual(await publish(memory, 'other', 1, 'other'), [])
    assert.equal(current(memory), 'other')
  })
})
