import { answer, produce, type Example, type Step } from '../course.ts'

const pays = (status: string): Step =>
  answer('payment-commands', 'payment-events', ({ orderId = null }) => ({ orderId, status }))

export const order: Example = {
  courses: [
    {
      title: 'an order that is paid and shipped',
      workflow: 'order',
      key: 'o-10',
      steps: [
        produce('orders', { orderId: 'o-10', amount: 12.5 }),
        pays('paid'),
        answer('warehouse-commands', 'warehouse-events', ({ orderId = null }) => ({ orderId, tracking: 'T-1' })),
      ],
      commands: (key) => [
        ['payment-commands', key, { orderId: key, amount: 12.5 }],
        ['warehouse-commands', key, { orderId: key }],
      ],
      end: { status: 'COMPLETED', output: { orderId: 'o-10', paymentStatus: 'paid', tracking: 'T-1' } },
    },
    {
      title: 'an order whose payment is declined waits for a person, and nothing is shipped',
      workflow: 'order',
      key: 'o-11',
      steps: [produce('orders', { orderId: 'o-11', amount: 12.5 }), pays('declined')],
      commands: (key) => [['payment-commands', key, { orderId: key, amount: 12.5 }]],
      end: { status: 'EXECUTING', incident: { task: 'approved', code: 'no-case' } },
    },
  ],
}
