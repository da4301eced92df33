// dagger-worker operations, against a worker that does what it is told.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Surroundings } from '../../src/cli/program.ts'
import type { ActionAnswer } from '../../src/runtime/face.ts'
import { commandLine } from '../support/command-line.ts'
import { serve, until } from '../support/http.ts'

async function stage(t: TestContext, given: Partial<Surroundings> & { readonly isTTY?: boolean } = {}) {
  const { worker, url, close } = await serve(t)
  for (let n = 0; n < 5; n++) worker.change(`i-${n}`, { incidents: 1 })
  return { worker, url, close, ...commandLine(t, { env: { DAGGER_WORKER_SERVER: url }, ...given }) }
}

async function* typed(text: string): AsyncGenerator<string> {
  yield text
}

test('operations start acts on what the options want, and tells what became of it', async (t) => {
  const { worker, type } = await stage(t)
  const all = await type('operations', 'start', 'retry', '--incident', '--task', 'pay', '--by', 'ann', '--yes')
  assert.equal(all.code, 0, all.stderr)
  assert.match(all.stdout, /^retry completed: 5 of 5 done, in /)
  assert.deepEqual(worker.actions[0]?.action, { kind: 'retry', task: 'pay', input: undefined })
  assert.match(worker.actions[0]?.by ?? '', /^ann, operation op-/)
})

test('operations start exits with 1 where an instance refuses, and names it and why', async (t) => {
  const { worker, type } = await stage(t)
  worker.actionAnswers.push({ outcome: 'refused', code: 'not-now', message: 'is \u001b over' })
  const { code, stdout } = await type('operations', 'start', 'stop', '--all', '--yes', '--reason', 'why')
  assert.equal(code, 1)
  assert.match(stdout, /4 of 5 done, 1 refused/)
  assert.match(stdout, /i-0 {2}not-now: is \\u001b over/)
  const json = await type('operations', 'start', 'stop', '--all', '--yes', '--json')
  assert.equal(JSON.parse(json.stdout).counts.done, 5)
})

test('operations start hands on what each action takes', async (t) => {
  const { worker, type } = await stage(t)
  const start = (...argv: readonly string[]) => type('operations', 'start', ...argv, '--all', '--limit', '1', '--yes')
  await start('signal', '--signal', 'go', '--input', '{"a":1}')
  await start('set', '--set', 'a=1', 'b="x"')
  await start('complete', '--output', '[1]')
  await start('retry', '--input', '2')
  assert.deepEqual(
    worker.actions.map(({ action }) => action),
    [
      { kind: 'signal', name: 'go', payload: { a: 1 } },
      { kind: 'set', vars: { a: 1, b: 'x' } },
      { kind: 'complete', task: undefined, output: [1] },
      { kind: 'retry', task: undefined, input: 2 },
    ],
  )
  for (const argv of [['signal'], ['set'], ['explode']]) assert.equal((await start(...argv)).code, 2)
  assert.equal((await type('operations', 'start', 'stop', '--yes')).code, 2)
  assert.equal((await type('operations', 'start', 'stop', '--all', '--incident', '--yes')).code, 2)
})

test('operations start asks on a terminal, with how many match, and takes nothing but yes for yes', async (t) => {
  for (const [answer, code] of [
    ['y\n', 0],
    ['YES\n', 0],
    ['n\n', 1],
    ['\n', 1],
    ['', 1],
  ] as const) {
    const { worker, type } = await stage(t, { isTTY: true, stdin: typed(answer) })
    const done = await type('operations', 'start', 'stop', '--incident')
    assert.equal(done.code, code, answer)
    assert.match(done.stderr, /5 instances match\. stop them\? \[y\/N\]/)
    assert.equal(worker.actions.length, code === 0 ? 5 : 0)
  }
})

test('operations start does nothing where nobody can be asked, and only counts with --dry-run', async (t) => {
  const { worker, type } = await stage(t)
  const { code, stderr } = await type('operations', 'start', 'stop', '--incident')
  assert.equal(code, 2)
  assert.match(stderr, /5 instances match\. stop them\? Nobody can be asked here: add --yes\./)
  const dry = await type('operations', 'start', 'stop', '--incident', '--limit', '2', '--dry-run')
  assert.deepEqual([dry.code, dry.stdout], [0, '2 instances match, the newest of more\n'])
  assert.deepEqual(worker.actions, [])
})

test('Ctrl-C cancels what is watched, and tells how far it came', async (t) => {
  const { worker, url, type, signal, hasSignalListeners } = await stage(t)
  for (let n = 0; n < 100; n++) worker.change(`more-${n}`, { incidents: 1 })
  const waiting: ((answer: ActionAnswer) => void)[] = []
  worker.instances = { ...worker.instances, operate: () => new Promise((resolve) => waiting.push(resolve)) }
  const done = type('operations', 'start', 'stop', '--incident', '--yes')
  await until(() => waiting.length === 64 && hasSignalListeners())
  signal('SIGINT')
  let told = ''
  while (!told.includes('"cancelling"')) told = await (await fetch(`${url}/operations`)).text()
  for (const resolve of waiting.splice(0)) resolve({ outcome: 'done' })
  const { code, stdout, stderr } = await done
  assert.equal(code, 130)
  assert.match(stdout, /stop cancelled: 64 of 105 done, 41 left/)
  assert.match(stderr, /with --id op-[0-9a-f]{16} does the rest/)
})

test('operations list, show and cancel tell of them', async (t) => {
  const { type } = await stage(t)
  const started = await type('operations', 'start', 'stop', '--incident', '--yes', '--detach', '--by', 'a\u001bnn')
  const id = started.stdout.trim()
  assert.match(id, /^op-[0-9a-f]{16}$/)
  assert.match(started.stderr, new RegExp(`operations show ${id} --follow`))
  const shown = await type('operations', 'show', id, '--follow')
  assert.match(shown.stdout, /^stop completed: 5 of 5 done, in /)
  const { stdout } = await type('operations', 'list')
  assert.match(stdout, /^OPERATION +ACTION +STATUS +COUNTS /)
  assert.match(stdout, new RegExp(`${id} +stop +completed +5 of 5 done .* a.u001bnn`))
  assert.match((await type('operations', 'cancel', id)).stderr, /completed, 5 of 5 done/)
  const none = await type('operations', 'show', 'op-none')
  assert.equal(none.code, 1)
})

test('an operation whose worker is gone says how to go on', async (t) => {
  const { worker, close, type } = await stage(t)
  for (let n = 0; n < 100; n++) worker.change(`more-${n}`, { incidents: 1 })
  const waiting: ((answer: ActionAnswer) => void)[] = []
  worker.instances = { ...worker.instances, operate: () => new Promise((resolve) => waiting.push(resolve)) }
  const done = type('operations', 'start', 'stop', '--incident', '--yes', '--id', 'op-lost')
  await until(() => waiting.length === 64)
  await close()
  const { code, stderr } = await done
  assert.equal(code, 3)
  assert.match(stderr, /op-lost was lost with its worker/)
  assert.match(stderr, /with --id op-lost does the rest/)
})
