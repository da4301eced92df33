// Workflows that simulated customers use beside the random ones: plain ones, as people write them. Short times, so that
// timeouts race with answers.
import type { Entrance } from './programs/workflow.ts'

const order = `
workflow: order
start:
  - topic: orders
    from: earliest
    key: \${ message.value.id }
vars: { paid: unknown }
tasks:
  - name: payment
    type: process
    tasks:
      - name: charge
        type: kafka-command
        topic: payment-commands
        value: { id: "\${ input.id }", instance: "\${ instance.id }", task: charge, answer: payment-events }
      - name: charged
        type: kafka-listener
        from: earliest
        keep: 1d
        topic: payment-events
        correlate: { message: message.value.id, instance: instance.key }
        set: { paid: "\${ message.value.status }" }
  - name: large
    type: decision
    cases:
      - when: input.size > 2
        next: [check]
    default: [ship]
  - name: check
    type: examine
    dependsOn: [large]
    with: { id: "\${ input.id }" }
    timeout: 20s
    retry: { maxAttempts: 4, initialInterval: 1s }
  - name: ship
    type: kafka-command
    dependsOn: [large, check]
    topic: shipping-commands
    value: { id: "\${ input.id }", instance: "\${ instance.id }", task: ship, answer: shipping-events }
  - name: shipped
    type: kafka-listener
    from: earliest
    keep: 1d
    topic: shipping-events
    correlate:
      - { message: message.value.parcel, instance: "'parcel-' + input.id" }
      - { message: message.value.id, instance: instance.key }
    where: message.value.kind == 'shipped'
output: { id: "\${ input.id }", paid: "\${ vars.paid }" }
`

const reminder = `
workflow: reminder
updates: false
start:
  - topic: reminders
    from: earliest
onRunning: reject
tasks:
  - name: pause
    type: trigger
    delay: 5s
  - name: answer
    type: kafka-listener
    from: earliest
    keep: 1d
    topic: answers
    correlate: { message: message.value.about, instance: input.about }
    timeout: 8s
    onFailure: skip
  - name: note
    type: set
    set: { noted: true }
  - name: tell
    type: kafka-command
    topic: shipping-commands
    value: { id: "\${ instance.key }", instance: "\${ instance.id }", task: tell }
vars: { noted: false }
`

const fragile = `
workflow: fragile
start:
  - topic: fragiles
    from: earliest
tasks:
  - name: outer
    type: process
    retry: { maxAttempts: 2, initialInterval: 250ms }
    onFailure: fail
    tasks:
      - name: work
        type: examine
        with: { id: "\${ input.id }" }
        dependsOn: []
        timeout: 20s
        retry: { maxAttempts: 2, initialInterval: 500ms }
        onFailure: fail
      - name: wait
        type: kafka-listener
        from: earliest
        keep: 1d
        dependsOn: []
        topic: answers
        correlate: { message: message.value.about, instance: input.about }
        timeout: 1m
`

const entrance = (workflow: string, topic: string, key: Entrance['key']): Entrance => ({
  ...{ workflow, topic, key },
  kind: undefined,
  hasSchema: false,
})

export const fixedWorkflows: readonly { readonly text: string; readonly entrances: readonly Entrance[] }[] = [
  { text: order, entrances: [entrance('order', 'orders', 'id')] },
  { text: reminder, entrances: [entrance('reminder', 'reminders', 'record')] },
  { text: fragile, entrances: [entrance('fragile', 'fragiles', 'record')] },
]
