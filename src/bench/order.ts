// The workload "order": four leaf tasks in two processes. Three records in, two commands out, each of about 200 bytes.
import type { WorkflowFile } from '../definition/folder.ts'
import type { OutgoingRecord } from '../runtime/ports.ts'
import { keyedRecord } from './feed.ts'

export const orderTasks = 4
/** Of each instance: its start and two answers. */
export const orderRecordsIn = 3

/** The topics of the workflow, named after the application: a benchmark on somebody's cluster touches no other. */
export const orderTopics = (app: string) => ({
  orders: `${app}-orders`,
  paymentCommands: `${app}-payment-commands`,
  paymentEvents: `${app}-payment-events`,
  warehouseCommands: `${app}-warehouse-commands`,
  warehouseEvents: `${app}-warehouse-events`,
})
export type OrderTopics = ReturnType<typeof orderTopics>

export function orderWorkflow(app: string): WorkflowFile {
  const topics = orderTopics(app)
  const text = `workflow: order
start:
  - topic: ${topics.orders}

tasks:
  - name: payment
    type: process
    tasks:
      - name: charge
        type: kafka-command
        topic: ${topics.paymentCommands}
        value: { orderId: "\${ input.orderId }", amount: "\${ input.amount }" }
      - name: charged
        type: kafka-listener
        topic: ${topics.paymentEvents}
        correlate: { message: message.value.orderId, instance: instance.key }

  - name: shipping
    type: process
    tasks:
      - name: ship
        type: kafka-command
        topic: ${topics.warehouseCommands}
        value: { orderId: "\${ input.orderId }", payment: "\${ tasks.charged.output.reference }" }
      - name: shipped
        type: kafka-listener
        topic: ${topics.warehouseEvents}
        correlate: { message: message.value.orderId, instance: instance.key }
`
  return { file: 'order.yaml', text }
}

/** The record that starts an instance. */
export const orderRecord = (app: string, orderId: string): OutgoingRecord =>
  keyedRecord(orderTopics(app).orders, orderId, {
    orderId,
    amount: 120.5,
    currency: 'EUR',
    customer: `C-${orderId}`,
  })
