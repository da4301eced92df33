import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf } from './content.ts'
import { planOf, type Act } from './plan.ts'

/** What an act is an instance of; each has to be there in a campaign. */
const kinds: { readonly [kind: string]: (act: Act) => boolean } = {
  'a start by a record': (act) => act.kind === 'produce' && act.intent === 'start',
  'a start by a record with no key': (act) => act.kind === 'produce' && act.intent === 'start' && act.key === null,
  'a start with a hostile key': (act) => act.kind === 'produce' && act.key === '__proto__',
  'a start with a hostile value': (act) => textOf(act).includes('"__proto__":'),
  'a start by a call': (act) => act.kind === 'call',
  'a call that is repeated': (act) => act.kind === 'call' && act.asksAgainAfterMs !== undefined,
  'a record for somebody who waits': (act) => act.kind === 'produce' && act.intent === 'record',
  'an aborted record': (act) => act.kind === 'produce' && act.transaction?.outcome === 'aborted',
  'a record that is committed late': (act) => act.kind === 'produce' && act.transaction?.outcome === 'committed',
  'a tombstone': (act) => act.kind === 'produce' && act.value === null,
  'an empty value': (act) => act.kind === 'produce' && act.value === '',
  'a poisoned record': (act) => act.kind === 'produce' && act.intent === 'poison',
  'a value that is no text': (act) => act.kind === 'produce' && isBinary(act.value),
  'a key that is no text': (act) => act.kind === 'produce' && isBinary(act.key),
  'a value nested 10,000 deep': (act) => textOf(act).startsWith('['.repeat(10_000)),
  'a value near the limit of records': (act) => textOf(act).length > 1_000_000,
}

test('customers do all that they can do within 500 seeds', () => {
  const missing = new Set(Object.keys(kinds))
  for (let seed = 1; seed <= 500 && missing.size > 0; seed++)
    for (const act of planOf(seed).acts) for (const kind of missing) if (kinds[kind]!(act)) missing.delete(kind)
  assert.deepEqual([...missing], [])
})

test('the same record is sent twice, and the same call is made by two people', () => {
  let records = 0
  let calls = 0
  for (let seed = 1; seed <= 200; seed++) {
    const { acts } = planOf(seed)
    const sent = acts.flatMap((act) =>
      act.kind === 'produce' && act.intent === 'start' ? [JSON.stringify(act.value)] : [],
    )
    const asked = acts.flatMap((act) => (act.kind === 'call' ? [act.idempotencyKey] : []))
    records += sent.length - new Set(sent).size
    calls += asked.length - new Set(asked).size
  }
  assert.ok(records > 0 && calls > 0, `${records} records and ${calls} calls were repeated`)
})

const isBinary = (content: Extract<Act, { kind: 'produce' }>['value']): boolean =>
  typeof content === 'object' && content !== null && 'base64' in content

const textOf = (act: Act): string => (act.kind === 'produce' ? (bytesOf(act.value)?.toString() ?? '') : '')
