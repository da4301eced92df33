import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Site } from '../support/daemon.ts'

const greet = (label: string): string => `workflow: greet
version: ${label}
description: Says it.
start: [{ topic: greetings }]
tasks: [{ name: wait, type: trigger, delay: 1h }]
`

test('workflows list, show and versions tell of a running worker what it has', async (t) => {
  const site = Site.of(t, { 'workflows/sub/greet.yaml': greet('one') })
  const daemon = await site.start()
  const workflows = (...argv: readonly string[]) => site.type('workflows', ...argv, '--server', daemon.url)
  await site.type('run', 'greet', '--key', 'a', '--detach', '--server', daemon.url)
  const first = (await daemon.health()).workflows[0]?.version ?? ''
  site.write('workflows/sub/greet.yaml', greet('two'))
  await daemon.until(async () => ((await daemon.health()).workflows[0]?.label === 'two' ? true : undefined))

  const list = await workflows('list')
  assert.equal(list.code, 0)
  assert.match(list.stdout, /^WORKFLOW +VERSION +STARTS ON +VERSIONS +OPEN +KEPT +FILE\n/)
  assert.match(list.stdout, /^greet +greet@[0-9a-f]{8} \(two\) +greetings +2 +1 +1 +dagger: sub\/greet\.yaml$/m)
  const versions = await workflows('versions', 'greet')
  assert.match(
    versions.stdout,
    /^greet@[0-9a-f]{8} \(two\) +current +20\S+Z +0 +0 +dagger: sub\/greet\.yaml\ngreet@[0-9a-f]{8} \(one\) +20\S+Z +1 +1$/m,
  )
  const show = await workflows('show', 'greet', '--version', first.slice('greet@'.length))
  assert.match(show.stdout, new RegExp(`^${first} \\(one\\)\n {2}is +not current`))
  assert.match(show.stdout, /^ {2}description +Says it\.$/m)
  assert.match(show.stdout, /^ {2}instances +1 open, 1 kept$/m)
  assert.match(show.stdout, /^ {6}"type": "trigger"/m)

  const json = JSON.parse((await workflows('versions', 'greet', '--json')).stdout)
  assert.deepEqual([json.total, json.counted.isComplete, json.items[1].instances], [2, true, { open: 1, kept: 1 }])
  assert.equal(JSON.parse((await workflows('show', 'greet', '--json')).stdout).workflow.definition.version, 'two')
  assert.equal(JSON.parse((await workflows('list', '--json')).stdout).items[0].name, 'greet')
  const missing = await workflows('show', 'great')
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /There is no workflow "great"[^]*Did you mean "greet"\?/)
  assert.equal((await workflows('show', 'greet', '--version', 'three')).code, 1)
})
