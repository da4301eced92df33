// The workflows that a worker knows, as the engine asks for them.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { loadWorkflows } from '../../src/definition/parse.ts'
import type { Workflow } from '../../src/definition/workflow.ts'
import { WorkflowCatalogue } from '../../src/runtime/catalogue.ts'

function workflow(
  name: string,
  options: { topic?: string; keep?: string; label?: string; message?: string } = {},
): Workflow {
  const { topic = 'replies', keep = '1h', label = '1', message = 'message.key' } = options
  const text = `
workflow: ${name}
version: ${label}
start: [{ topic: ${name}-starts }]
tasks:
  - { name: l, type: kafka-listener, topic: ${topic}, keep: ${keep}, correlate: { message: ${message}, instance: instance.key } }
`
  const { workflows, problems } = loadWorkflows([{ file: 'f.yaml', text }])
  assert.deepEqual(problems, [])
  return workflows[0] ?? assert.fail()
}

const published = (...versions: readonly Workflow[]): Map<string, readonly string[]> =>
  new Map(versions.map(({ name, version }) => [`${name}.yaml`, [version]]))

/** A catalogue that knows these versions, of which those of the manifests are current, by source. */
function catalogueOf(
  versions: readonly Workflow[],
  manifests: { readonly [source: string]: readonly Workflow[] },
): WorkflowCatalogue {
  const catalogue = new WorkflowCatalogue()
  for (const [index, version] of versions.entries()) catalogue.addVersion(version, index)
  for (const [source, current] of Object.entries(manifests)) catalogue.setManifest(source, published(...current))
  catalogue.index()
  return catalogue
}

suite('a catalogue', () => {
  const one = workflow('a', { label: '1' })
  const two = workflow('a', { label: '2', topic: 'answers', keep: '2h' })

  test('finds every version that was ever published; the current one is that of the manifest', () => {
    const catalogue = catalogueOf([one, two], { main: [two] })
    assert.deepEqual([catalogue.find(one.version), catalogue.find(two.version)], [one, two])
    assert.equal(catalogue.current('a'), two)
    assert.deepEqual(catalogue.listCurrent(), [two])
  })

  test('starts the current versions only; withdrawing one stops its starts and nothing else', () => {
    const catalogue = catalogueOf([one, two], { main: [two] })
    assert.deepEqual(
      catalogue.startsOn('a-starts').map((start) => start.workflow),
      [two],
    )
    catalogue.setManifest('main', new Map())
    catalogue.index()
    assert.deepEqual([catalogue.startsOn('a-starts'), catalogue.current('a')], [[], undefined])
    assert.equal(catalogue.find(two.version), two)
    assert.equal(catalogue.listenersOn('answers').length, 1)
  })

  test('has the listeners of every version: an old instance still finds its records', () => {
    const catalogue = catalogueOf([one, two], { main: [two] })
    assert.deepEqual(
      catalogue.listenersOn('replies').map((group) => group.workflow),
      ['a'],
    )
    assert.deepEqual(
      catalogue.listenersOn('answers').map((group) => group.workflow),
      ['a'],
    )
    assert.deepEqual(catalogue.listenersOn('unknown'), [])
  })

  test('groups the listeners of a workflow: each distinct way to the value once, and the longest `keep`', () => {
    const short = workflow('b', { label: '1', keep: '1h' })
    const long = workflow('b', { label: '2', keep: '3h' })
    const other = workflow('b', { label: '3', keep: '2h', message: 'message.value.id' })
    const [group, ...more] = catalogueOf([short, long, other], { main: [other] }).listenersOn('replies')
    assert.equal(more.length, 0)
    assert.deepEqual(
      group?.routes.map(({ expression }) => expression.source),
      ['message.key', 'message.value.id'],
    )
    assert.equal(group?.keepMs, 3 * 3_600_000)
  })

  test('takes of two sources with one workflow the one that was published last', () => {
    const catalogue = catalogueOf([one, two], { left: [one], right: [two] })
    assert.equal(catalogue.current('a'), two)
    catalogue.setManifest('left', published(one))
    catalogue.index()
    assert.equal(catalogue.current('a'), one)
    catalogue.setManifest('left', new Map())
    catalogue.index()
    assert.equal(catalogue.current('a'), two)
  })

  test('passes over a version that it does not know yet', () => {
    const catalogue = catalogueOf([one], { main: [two] })
    assert.equal(catalogue.current('a'), undefined)
    catalogue.addVersion(two, 2)
    catalogue.index()
    assert.equal(catalogue.current('a'), two)
  })

  test('keeps the first registration of a topic until the topic is created anew', () => {
    const catalogue = new WorkflowCatalogue()
    const first = { topicId: 'x', from: 'latest', ends: [5] } as const
    catalogue.addRegistration('t', first)
    catalogue.addRegistration('t', { topicId: 'x', from: 'earliest', ends: [9] })
    assert.equal(catalogue.registration('t'), first)
    const anew = { topicId: 'y', from: 'earliest', ends: [] } as const
    catalogue.addRegistration('t', anew)
    assert.equal(catalogue.registration('t'), anew)
    assert.deepEqual(catalogue.sourceTopics(), ['t'])
  })
})
