import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from '../../src/base/errors.ts'
import { listWorkflowFiles, readWorkflowFiles } from '../../src/definition/folder.ts'
import { loadWorkflows } from '../../src/definition/parse.ts'

test('workflow files are found in sub-folders, sorted, named as the directory was given', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'dagger-workflows-'))
  t.after(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, 'sub', '_drafts'), { recursive: true })
  await mkdir(join(folder, '.git'))
  for (const file of [
    'b.yaml',
    'a.yml',
    'sub/c.json',
    '.hidden.yaml',
    '_draft.yaml',
    'sub/_drafts/d.yaml',
    '.git/e.yaml',
    'notes.md',
  ]) {
    await writeFile(join(folder, file), file)
  }
  await symlink(join(folder, 'b.yaml'), join(folder, 'linked.yaml'))
  await symlink(join(folder, 'gone.yaml'), join(folder, 'dangling.yaml'))
  await symlink(folder, join(folder, 'loop'))
  const expected = ['a.yml', 'b.yaml', 'linked.yaml', 'sub/c.json'].map((file) => join(folder, file))
  assert.deepEqual(await listWorkflowFiles(folder), expected)
  const files = await readWorkflowFiles(folder)
  assert.deepEqual(
    files.map(({ file, text }) => [file, text]),
    expected.map((file, index) => [file, ['a.yml', 'b.yaml', 'b.yaml', 'sub/c.json'][index]]),
  )
})

test('a file that is too large is read only as far as it takes to refuse it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'dagger-workflows-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'large.yaml'), '# '.padEnd(1_000_000, 'x'))
  const files = await readWorkflowFiles(folder)
  assert.ok(files[0]!.text.length < 300_000)
  assert.deepEqual(
    loadWorkflows(files).problems.map(({ code }) => code),
    ['DW_LIMIT'],
  )
})

test('a directory that is not there is the operator’s to mend', async () => {
  await assert.rejects(
    readWorkflowFiles('/no/such/folder'),
    (error) => error instanceof ConfigError && error.code === 'DW_WORKFLOWS_NOT_FOUND',
  )
})
