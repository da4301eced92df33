// Each check reports what it is there for: a finished run with nothing wrong in it is doctored in one place (doctors/),
// and the check has to say so. A check with no case does not compile: what cannot fail proves nothing.
import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { timerCodec } from '../../src/records/row-codec.ts'
import { checks, evidenceOf } from './checks/all.ts'
import type { Evidence } from './checks/finished.ts'
import { hashOf } from './checks/logs.ts'
import { childCases } from './doctors/children.ts'
import { compensationCases } from './doctors/compensation.ts'
import { deadlineCases } from './doctors/deadlines.ts'
import { change, write, type Case } from './doctors/doctoring.ts'
import { instanceCases } from './doctors/instances.ts'
import { joinCases } from './doctors/joins.ts'
import { recordCases } from './doctors/records.ts'
import { restCases } from './doctors/rest.ts'
import { scheduleCases } from './doctors/schedules.ts'
import { signalCases } from './doctors/signals.ts'
import { updateCases } from './doctors/updates.ts'
import { planOf } from './plan.ts'
import { simulate } from './run.ts'

const cases: { readonly [Name in keyof typeof checks]: Case } = {
  ...instanceCases,
  ...recordCases,
  ...restCases,
  ...scheduleCases,
  ...deadlineCases,
  ...joinCases,
  ...compensationCases,
  ...childCases,
  ...signalCases,
  ...updateCases,
}
const runs: Evidence[] = []
const runsNeeded = 20

before(async () => {
  for (let seed = 1; runs.length < runsNeeded; seed++) {
    const { finished, violations } = await simulate(planOf(seed))
    if (violations.length === 0) runs.push(evidenceOf(finished))
  }
})

suite('a check reports', () => {
  for (const name of Object.keys(checks) as (keyof typeof checks)[]) {
    const { invariant, title, doctor } = cases[name]
    test(`${invariant}: ${title} (${name})`, () => {
      for (const run of runs) {
        const doctored = doctor(run)
        if (doctored === undefined) continue
        const found = [...checks[name](evidenceOf(doctored))]
        assert.ok(
          found.some((violation) => violation.startsWith(`${invariant}: `)),
          `${name} found nothing wrong`,
        )
        return
      }
      assert.fail('no run has what this is about')
    })
  }
})

test('I8: a record that was sent to a waiter, and neither taken nor sent back (recordsAreAccountedFor)', () => {
  for (const run of runs) {
    const hop = run.committed.hops.find(({ command }) => command.type === 'instance.correlate')
    if (hop === undefined) continue
    const without = change(run, run.committed.topics.inbox, hop.partition, (seen) =>
      seen.filter(({ offset }) => offset !== hop.offset),
    )
    const found = [...checks.recordsAreAccountedFor(evidenceOf(without))]
    if (found.some((violation) => violation.startsWith('I8: '))) return
  }
  assert.fail('nothing was found in any run')
})

test('I11: another value anywhere gives another hash of what was committed', () => {
  const [run] = runs
  assert.ok(run !== undefined)
  const { committed } = run
  assert.equal(hashOf(committed.history), hashOf(committed.history))
  const other = write(run, 0, 't/other', timerCodec.encode({ dueAtMs: 1, target: { kind: 'expire-kept', number: 0 } }))
  assert.notEqual(hashOf(other.committed.history), hashOf(committed.history))
})
