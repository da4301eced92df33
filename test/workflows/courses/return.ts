import { answer, produce, type Example, type Step } from '../course.ts'

const fetched = answer('depot-commands', 'depot-events', ({ returnId = null }) => ({ returnId, kind: 'arrived' }))
const bankSays = (status: string): Step =>
  answer('bank-commands', 'bank-events', ({ returnId = null }) => ({ returnId, status }))

export const returned: Example = {
  hurry: { 'timeout: 14d': 'timeout: 500ms' },
  courses: [
    {
      title: 'a return that arrives and is refunded',
      workflow: 'return',
      key: 'r-10',
      steps: [produce('returns', { returnId: 'r-10', sku: 'mug', amount: 12.5 }), fetched, bankSays('refunded')],
      commands: (key) => [
        ['depot-commands', key, { kind: 'fetch', returnId: key }],
        ['depot-commands', key, { kind: 'shelve', sku: 'mug' }],
        ['bank-commands', key, { returnId: key, amount: 12.5 }],
      ],
      end: { status: 'COMPLETED', output: { refunded: 12.5 }, tasks: { refused: 'SKIPPED' } },
    },
    {
      title: 'a refund that the bank refuses undoes what was done, last thing first',
      workflow: 'return',
      key: 'r-11',
      steps: [produce('returns', { returnId: 'r-11', sku: 'mug', amount: 12.5 }), fetched, bankSays('closed account')],
      commands: (key) => [
        ['depot-commands', key, { kind: 'fetch', returnId: key }],
        ['depot-commands', key, { kind: 'shelve', sku: 'mug' }],
        ['bank-commands', key, { returnId: key, amount: 12.5 }],
        ['depot-commands', key, { kind: 'unshelve', sku: 'mug' }],
        ['depot-commands', key, { kind: 'send-back', returnId: key }],
      ],
      end: { status: 'FAILED', error: 'refund-refused' },
    },
    {
      title: 'a parcel that never arrives undoes only what was done by then',
      workflow: 'return',
      key: 'r-12',
      inAHurry: true,
      steps: [produce('returns', { returnId: 'r-12', sku: 'mug', amount: 12.5 })],
      commands: (key) => [
        ['depot-commands', key, { kind: 'fetch', returnId: key }],
        ['depot-commands', key, { kind: 'send-back', returnId: key }],
      ],
      end: { status: 'FAILED', error: 'timeout' },
    },
  ],
}
