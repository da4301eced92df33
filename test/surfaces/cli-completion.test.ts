// Completion in the shells themselves: the printed script is sourced, and asked what it offers. zsh and fish are asked where
// they are; bash has to be.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test, type TestContext } from 'node:test'
import { exitCodes } from '../../src/cli/exit-codes.ts'
import { commandLine } from '../support/command-line.ts'

/** What is typed, where Tab is pressed, and what is offered. */
const offers: readonly (readonly [typed: string, offered: readonly string[]])[] = [
  ['ins', ['instances']],
  ['instances s', ['set', 'show', 'signal', 'skip', 'stop', 'suspend']],
  ['instances list --stat', ['--status']],
  ['instances list --status EX', ['EXECUTING']],
  ['instances list --limit 5 --key-p', ['--key-prefix']],
  ['start --client ', ['kafkajs', 'platformatic']],
  ['start --log-level=w', ['warn']],
  ['start --kafka-tls t', ['true']],
  ['graph --format m', ['mermaid']],
  ['completion z', ['zsh']],
  ['start --app ', []],
  ['produce orders --file or', ['orders.jsonl']],
  ['validate flo', ['flows']],
  ['start --workflows flo', ['flows']],
  ['start --workflows or', []],
]

const hasShell = (name: string): boolean => spawnSync(name, ['--version']).status === 0

suite('completion', () => {
  let directory = ''

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'dw-completion-'))
    mkdirSync(join(directory, 'flows'))
    writeFileSync(join(directory, 'orders.jsonl'), '')
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  async function source(t: TestContext, shell: string): Promise<string> {
    const { code, stdout } = await commandLine(t).type('completion', shell)
    assert.equal(code, exitCodes.ok)
    const file = join(directory, `.completion.${shell}`)
    writeFileSync(file, stdout)
    return file
  }

  function ask(shell: string, flags: readonly string[], script: string): readonly string[] {
    const { status, stdout, stderr } = spawnSync(shell, [...flags, '-c', script], { cwd: directory, encoding: 'utf8' })
    assert.equal(`${status} ${stderr}`, '0 ', script)
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t', 1)[0]!.replace(/\/$/, ''))
      .sort()
  }

  async function inBash(t: TestContext, words: readonly string[]): Promise<readonly string[]> {
    const quoted = ['dagger-worker', ...words].map((word) => `'${word}'`).join(' ')
    return ask(
      'bash',
      ['--norc', '--noprofile'],
      `source ${await source(t, 'bash')}; complete -p dagger-worker > /dev/null
COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _dagger_worker; printf '%s\\n' "\${COMPREPLY[@]}"`,
    )
  }

  for (const [typed, offered] of offers) {
    test(`bash, after "${typed}"`, async (t) => {
      assert.deepEqual(await inBash(t, typed.replaceAll('=', ' = ').split(' ')), offered)
    })
  }

  test('bash evaluates nothing of what was typed', async (t) => {
    assert.deepEqual(await inBash(t, ['run', '$(touch orders.lost)', '`touch orders.lost`']), [])
    assert.deepEqual(await inBash(t, ['start', '--workflows', '$(touch orders.lost)']), [])
    assert.equal(existsSync(join(directory, 'orders.lost')), false)
  })

  test('zsh', { skip: !hasShell('zsh') && 'there is no zsh' }, async (t) => {
    const file = await source(t, 'zsh')
    for (const [typed, offered] of offers) {
      const words = typed.split(' ')
      // What zsh itself does with what is offered: it takes what begins as the word does.
      const script = `compdef() {}; compset() { PREFIX=\${PREFIX#*=} }
compadd() { shift; print -l -- "$@" }; _describe() { print -l -- "\${\${(P)@[-1]}[@]%%:*}" }
_files() { [[ $1 == -/ ]] && print -l -- *(N/) || print -l -- *(N) }
source ${file}; words=(dagger-worker ${typed.endsWith(' ') ? `${typed}''` : typed}); CURRENT=$#words PREFIX='${words.at(-1)}'
_dagger-worker`
      const begun = words.at(-1)!.replace(/^--.*=/, '')
      assert.deepEqual(
        ask('zsh', ['-f'], script).filter((word) => word.startsWith(begun)),
        offered,
        typed,
      )
    }
  })

  test('fish', { skip: !hasShell('fish') && 'there is no fish' }, async (t) => {
    const file = await source(t, 'fish')
    for (const [typed, offered] of offers) {
      const found = ask('fish', ['--no-config'], `source ${file}; complete -C 'dagger-worker ${typed}'`)
      // fish offers what merely contains the word, where nothing begins with it.
      assert.deepEqual(
        found.map((word) => word.replace(/^--.*=/, '')),
        offered,
        typed,
      )
    }
  })

  test('another shell is refused', async (t) => {
    assert.equal((await commandLine(t).type('completion', 'cmd')).code, exitCodes.usage)
  })
})
