// deploy/systemd: every line is one that systemd knows, with a value of its kind; the command is one that the program takes,
// and runs a worker that ends as systemd ends it. The list of what is known came from systemd itself.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { exitCodes } from '../../src/cli/exit-codes.ts'
import { Site } from '../support/daemon.ts'
import { repository } from './checkout.ts'

interface Line {
  readonly section: string
  readonly name: string
  readonly value: string
}

function linesOf(text: string): readonly Line[] {
  let section = ''
  const lines: Line[] = []
  for (const line of text.split('\n')) {
    if (/^(?:#.*)?$/.test(line)) continue
    const name = /^\[(\w+)\]$/.exec(line)?.[1]
    if (name !== undefined) section = name
    else lines.push({ section, name: line.slice(0, line.indexOf('=')), value: line.slice(line.indexOf('=') + 1) })
  }
  return lines
}

const unit = linesOf(readFileSync(join(repository, 'deploy/systemd/dagger-worker.service'), 'utf8'))
const items = linesOf(readFileSync(join(repository, 'test/support/systemd-items.txt'), 'utf8'))
const valueOf = (name: string): string | undefined => unit.find((line) => line.name === name)?.value

/** By the kind that systemd says it has; kinds that are not here are not looked at. */
const kinds: { readonly [kind: string]: RegExp } = {
  BOOLEAN: /^(?:yes|no)$/,
  UNSIGNED: /^\d+$/,
  SECONDS: /^\d+$/,
  LIMIT: /^\d+$/,
  MODE: /^0[0-7]{3}$/,
  'UNIT [...]': /^[\w-]+\.(?:target|service)$/,
  KILLMODE: /^(?:control-group|mixed|process|none)$/,
}

suite('the unit for systemd', () => {
  test('has only what systemd knows', () => {
    assert.ok(unit.length > 30)
    for (const { section, name, value } of unit) {
      const known = items.find((item) => item.section === section && item.name === name)
      assert.ok(known, `${name} in [${section}]`)
      assert.match(value, kinds[known.value] ?? /^/, `${name} is a ${known.value}`)
    }
    const names = unit.map(({ name }) => name)
    assert.deepEqual(names, [...new Set(names)], 'nothing is said twice')
  })

  test('confines the worker, and lets V8 compile', () => {
    for (const name of ['DynamicUser', 'NoNewPrivileges', 'ProtectHome', 'PrivateTmp', 'RestrictSUIDSGID'])
      assert.equal(valueOf(name), 'yes', name)
    assert.equal(valueOf('ProtectSystem'), 'strict')
    assert.equal(valueOf('CapabilityBoundingSet'), '')
    assert.equal(valueOf('MemoryDenyWriteExecute'), 'no')
  })

  test('is not started again where that cannot help, and has the time to stop', () => {
    assert.equal(valueOf('Restart'), 'on-failure')
    assert.equal(valueOf('RestartPreventExitStatus'), String(exitCodes.usage))
    assert.equal(valueOf('TimeoutStopSec'), '60')
  })

  test('starts a worker by its command, which ends by SIGTERM', async (t) => {
    const site = Site.of(t, {
      'etc/dagger-worker/worker.yaml': 'workflows: workflows\nport: 0\n',
      'etc/dagger-worker/workflows/none.txt': '',
    })
    const [program, command, ...flags] = valueOf('ExecStart')!
      .replaceAll('%E', join(site.directory, 'etc'))
      .replaceAll('%S', join(site.directory, 'var'))
      .split(' ')
    assert.deepEqual([program, command], ['dagger-worker', 'start'])
    const daemon = await site.start(...flags)
    assert.equal(daemon.report.data, join(site.directory, 'var', valueOf('StateDirectory')!))
    assert.equal(await daemon.stop('SIGTERM'), 0)
  })
})
