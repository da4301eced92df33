// The order example on Kafka, with topics of its own, from the start record to the end: what a worker that may do what it
// needs can do.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Daemon } from '../daemon.ts'

const order = readFileSync(new URL('../../../workflows/order.yaml', import.meta.url), 'utf8')

/** The workflow with `<app>-` before the names of its topics. */
export const orderOf = (app: string): string => order.replaceAll(/topic: ([\w-]+)/g, `topic: ${app}-$1`)

/** Places an order, answers for the two services, and sees it completed. */
export async function runOrder(daemon: Daemon, app: string, key: string): Promise<void> {
  const at = (name: string) => daemon.instance('order', key, ({ waitingAt }) => waitingAt.includes(name))
  await daemon.produce(`${app}-orders`, key, { orderId: key, amount: 12.5 })
  await at('charged')
  await daemon.produce(`${app}-payment-events`, key, { orderId: key, status: 'paid' })
  await at('shipped')
  await daemon.produce(`${app}-warehouse-events`, key, { orderId: key, tracking: 'T' })
  const { status, output } = await daemon.instance('order', key)
  assert.deepEqual([status, output], ['COMPLETED', { orderId: key, paymentStatus: 'paid', tracking: 'T' }])
}
