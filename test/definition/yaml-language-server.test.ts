// What an editor makes of the schema that a file's modeline names, asked of the language server that editors use.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { builtInTypes } from '../../src/definition/structure.ts'
import { cursorIn, startEditor, type Editor } from '../support/language-server.ts'

const root = join(import.meta.dirname, '../..')
const modeline = '# yaml-language-server: $schema=../schemas/workflow.schema.json\n'

interface Key {
  readonly description: string
  readonly examples: readonly unknown[]
}
interface Keyed {
  readonly properties: { readonly [key: string]: Key | { readonly $ref: string } }
}
type Schema = Keyed & { readonly definitions: { readonly [name: string]: Key & Keyed } }

const schema: Schema = JSON.parse(readFileSync(join(root, 'schemas/workflow.schema.json'), 'utf8'))

/** The keys of an object of the schema, each with what it says of itself. */
function keysOf({ properties }: Keyed): ReadonlyMap<string, Key> {
  const resolved = Object.entries(properties).map(([key, value]) => {
    const found = '$ref' in value ? schema.definitions[value.$ref.replace('#/definitions/', '')] : value
    assert.ok(found !== undefined, key)
    return [key, found] as const
  })
  return new Map(resolved)
}

const types = [...builtInTypes, 'billing/charge']
const taskKeys = (type: string): ReadonlyMap<string, Key> =>
  keysOf(schema.definitions[type === 'billing/charge' ? 'handler-task' : `${type}-task`] ?? assert.fail(type))

/** What is underlined, as "line: message", lines as in the text without the modeline, from 1. */
async function underlined(editor: Editor, text: string): Promise<readonly string[]> {
  const { diagnostics } = await editor.open(modeline + text)
  return diagnostics.map(({ range, message }) => `${range.start.line}: ${message}`).sort()
}

/** What is offered where `|` stands. */
async function offered(editor: Editor, marked: string): Promise<readonly string[]> {
  const { text, at } = cursorIn(modeline + marked)
  return (await editor.open(text)).complete(at)
}

suite('an editor', () => {
  test('offers the keys of a workflow, and of a task exactly those that its type takes', async (t) => {
    const editor = await startEditor(t)
    const top = await offered(editor, 'workflow: w\n|\n')
    for (const key of keysOf(schema).keys()) if (key !== 'workflow') assert.ok(top.includes(key), key)
    const all = new Set(types.flatMap((type) => [...taskKeys(type).keys()]))
    for (const type of types) {
      const labels = await offered(editor, `workflow: w\ntasks:\n  - name: a\n    type: ${type}\n    |\n`)
      const takes = taskKeys(type)
      for (const key of all) {
        if (key === 'name' || key === 'type') continue
        assert.equal(labels.includes(key), takes.has(key), `${type}: ${key}`)
      }
    }
  })

  test('offers the keys of tasks in tasks, beside tasks, and of starts', async (t) => {
    const editor = await startEditor(t)
    const inside = await offered(
      editor,
      'workflow: w\ntasks:\n  - name: a\n    type: parallel\n    branches:\n      - - name: b\n          type: http\n          |\n',
    )
    assert.ok(inside.includes('url') && !inside.includes('topic'))
    const beside = await offered(editor, 'workflow: w\nmonitor:\n  completeBy: 1h\n  then:\n    type: signal\n    |\n')
    assert.ok(beside.includes('signal') && !beside.includes('topic'))
    const start = await offered(editor, 'workflow: w\nstart:\n  - schedule: 0 6 * * *\n    |\n')
    assert.ok(start.includes('timezone') && !start.includes('topic'))
  })

  test('offers the values that a key takes', async (t) => {
    const editor = await startEditor(t)
    const type = await offered(editor, 'workflow: w\ntasks:\n  - name: a\n    type: |\n')
    for (const name of builtInTypes) assert.ok(type.includes(name), name)
    assert.deepEqual((await offered(editor, 'workflow: w\nonRunning: |\n')).toSorted(), [
      'ignore',
      'queue',
      'reject',
      'replace',
    ])
    const failure = await offered(editor, 'workflow: w\ntasks:\n  - name: a\n    type: set\n    onFailure: |\n')
    for (const name of ['incident', 'fail', 'skip']) assert.ok(failure.includes(name), name)
  })

  test('shows what a key is for, for every key of a workflow and of every type of task', async (t) => {
    const editor = await startEditor(t)
    /** Each key on a line of its own with its first example, behind `head`; shows what the editor says of each. */
    const shown = async (keys: ReadonlyMap<string, Key>, head: string, indent: string): Promise<readonly string[]> => {
      const lines = [...keys].map(([key, { examples }]) => `${indent}${key}: ${JSON.stringify(examples[0])}`)
      const document = await editor.open(modeline + head + lines.join('\n'))
      const first = (modeline + head).split('\n').length - 1
      const hovers = lines.map((_, index) => document.hover({ line: first + index, character: indent.length + 1 }))
      // The server writes Markdown: punctuation is escaped.
      return (await Promise.all(hovers)).map((text) => text.replaceAll('\\', ''))
    }
    const check = async (keys: ReadonlyMap<string, Key>, head: string, indent: string): Promise<void> => {
      const texts = await shown(keys, head, indent)
      for (const [index, [key, { description }]] of [...keys].entries())
        assert.ok(texts[index]?.includes(description), `${head}${key}: ${texts[index]}`)
    }
    await check(keysOf(schema), '', '')
    for (const type of types) {
      const keys = new Map(taskKeys(type))
      keys.delete('type')
      await check(keys, `workflow: w\ntasks:\n  - type: ${type}\n`, '    ')
    }
    const task = 'workflow: w\ntasks:\n  - type: kafka-listener\n'
    for (const [name, head, indent] of [
      ['recordStart', 'workflow: w\nstart:\n  - x-note: 1\n', '    '],
      ['scheduleStart', 'workflow: w\nstart:\n  - x-note: 1\n', '    '],
      ['retry', `${task}    retry:\n`, '      '],
      ['monitor', `${task}    monitor:\n`, '      '],
      ['failureRule', `${task}    onFailure:\n`, '      '],
      ['pair', `${task}    correlate:\n`, '      '],
    ] as const) {
      await check(keysOf(schema.definitions[name] ?? assert.fail(name)), head, indent)
    }
    const rules = new Map([['onFailure', { ...taskKeys('set').get('onFailure')!, examples: [[{ do: 'skip' }]] }]])
    await check(rules, 'workflow: w\ntasks:\n  - type: set\n', '    ')
    const [type] = await shown(
      new Map([['type', taskKeys('set').get('type')!]]),
      'workflow: w\ntasks:\n  - name: a\n',
      '    ',
    )
    assert.match(type ?? '', /Kind of the task: one that is built in/)
  })

  test('underlines a key that there is not, and one of another type, and takes keys that begin with x-', async (t) => {
    const editor = await startEditor(t)
    const task = (lines: string): string => `workflow: w\ntasks:\n  - name: a\n${lines}`
    assert.deepEqual(
      await underlined(editor, `workflow: w\ntask: 1\nx-team: shop\ntasks: [{ name: a, type: stop }]\n`),
      ['2: Property task is not allowed.'],
    )
    assert.deepEqual(await underlined(editor, task('    type: stop\n    x-note: 1\n    topic: orders\n')), [
      '6: Property topic is not allowed.',
    ])
    assert.deepEqual(await underlined(editor, task('    type: billing/charge\n    wiht: 1\n')), [
      '5: Property wiht is not allowed.',
    ])
    assert.deepEqual(
      await underlined(editor, task('    type: set\n    set: { x: 1 }\n    retry: { maxAttempt: 2 }\n')),
      ['6: Property maxAttempt is not allowed.'],
    )
  })

  test('underlines a wrong value with what was expected, and what is missing', async (t) => {
    const editor = await startEditor(t)
    const text = `workflow: w
onRunning: sometimes
start: orders
tasks:
  - name: a
    type: kafka-listener
    from: now
    skipAhead: perhaps
    retry: { maxAttempts: many }
    correlate: { message: message.key }
  - name: 1st
    type: for-each
    items: "\${ input }"
    concurrency: 0
    tasks: []
`
    assert.deepEqual(await underlined(editor, text), [
      '10: Missing property "instance".',
      '11: String does not match the pattern of "^[A-Za-z_][A-Za-z0-9_-]{0,99}$".',
      '14: Value is below the minimum of 1.',
      '15: Array has too few items. Expected 1 or more.',
      '2: Value is not accepted. Valid values: "ignore", "reject", "replace", "queue".',
      '3: Incorrect type. Expected "array".',
      '5: Missing property "topic".',
      '7: Value is not accepted. Valid values: "latest", "earliest".',
      '8: Incorrect type. Expected "boolean".',
      '9: Incorrect type. Expected "integer".',
    ])
  })

  test('underlines nothing in the workflows of this repository', async (t) => {
    const editor = await startEditor(t)
    const files = globSync('{workflows,bench/workflows}/*.yaml', { cwd: root })
    assert.ok(files.length > 0)
    for (const file of files) {
      const text = readFileSync(join(root, file), 'utf8')
      const { diagnostics } = await editor.open(text.startsWith(modeline) ? text : modeline + text)
      assert.deepEqual(diagnostics, [], file)
    }
  })
})
