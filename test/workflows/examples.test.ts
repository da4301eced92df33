// Every file in workflows/ is an example: it is valid by itself, what its head says to try works as it is typed there, and
// each of its courses runs to its end, on the embedded log.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { readWorkflowFiles } from '../../src/definition/folder.ts'
import { loadWorkflows } from '../../src/definition/parse.ts'
import { commandLine } from '../support/command-line.ts'
import { gallery } from './gallery.ts'
import { directory, hurried, playGallery, Stage, type Place } from './stage.ts'

const embedded = (): Place => ({ flags: [], app: 'dagger', prefix: '' })
const files = await readWorkflowFiles(directory)

test('every example has courses here, and every course an example', () => {
  assert.deepEqual(files.map(({ file }) => relative(directory, file)).sort(), Object.keys(gallery).sort())
  for (const [name, { courses }] of Object.entries(gallery)) assert.ok(courses.length > 0, name)
})

test('a time that a file does not have any more cannot be hurried', () => {
  assert.throws(() => hurried('return.yaml', 'timeout: 1d'), assert.AssertionError)
})

for (const { file, text } of files) {
  test(`${relative(directory, file)} is valid by itself, with no handlers, and names the schema where editors find it`, () => {
    const { workflows, problems, warnings } = loadWorkflows([{ file, text }], { handlers: [] })
    assert.deepEqual([problems, warnings], [[], []])
    assert.ok(workflows.length > 0)
    const schema = /^# yaml-language-server: \$schema=(\S+)$/m.exec(text)?.[1] ?? ''
    assert.ok(schema !== '' && existsSync(join(dirname(file), schema)))
  })
}

suite('what the head of an example says to try', () => {
  let stage: Stage | undefined
  before(async () => (stage = await Stage.open(embedded(), false)))
  after(() => stage?.close())

  for (const { file, text } of files) {
    test(`${relative(directory, file)}: ends in a completed instance`, async (t) => {
      assert.ok(stage !== undefined)
      const { type } = commandLine(t, { env: { DAGGER_WORKER_SERVER: stage.url } })
      const printed: string[] = []
      for (const [, typed = ''] of text.matchAll(/^# {3}(npx dagger-worker (?!start).+)$/gm)) {
        const { code, stdout, stderr } = await type(...wordsOf(typed.replace('127.0.0.1:8099', stage.apiHost)))
        assert.equal(code, 0, `${typed}\n${stderr}`)
        printed.push(stdout)
      }
      assert.match(printed.join('\n'), /^COMPLETED in /m)
    })
  }
})

playGallery(embedded)

/** As a shell takes the words of a command. */
function wordsOf(typed: string): readonly string[] {
  const printed = execFileSync('bash', ['-c', `npx() { shift; printf '%s\\0' "$@"; }; ${typed}`], { encoding: 'utf8' })
  return printed.split('\0').slice(0, -1)
}
