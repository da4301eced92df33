// One line for each order, told from its instance's timeline once it has ended or waits for a person:
//   o-1    12.50  placed → payment asked → paid → shipping asked → shipped → completed in 0.4 s
import { setTimeout as pause } from 'node:timers/promises'
import type { Json } from '../../base/json.ts'
import type { InstanceView } from '../../runtime/face.ts'
import type { Client } from '../client.ts'
import { CommandFailure } from '../failure.ts'
import { followInstance } from '../follow.ts'
import { elapsed } from '../instance-text.ts'
import { printable, type Style } from '../output.ts'
import type { Order } from './shop.ts'

const lookEveryMs = 50
const appearsWithinMs = 30_000

/** What a completed task of workflows/order.yaml means to somebody who waits for the parcel. */
const milestones: { readonly [task: string]: (instance: InstanceView) => string } = {
  charge: () => 'payment asked',
  charged: ({ vars }) => textOf(vars['paymentStatus']) ?? 'answered',
  ship: () => 'shipping asked',
  shipped: ({ vars }) => `shipped as ${textOf(vars['tracking']) ?? 'a parcel'}`,
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Resolves with the order's instance once it has ended or has an incident. @throws {CommandFailure} It never appeared. */
export async function settled(client: Client, { orderId }: Order): Promise<InstanceView> {
  for (let waitedMs = 0; waitedMs < appearsWithinMs; waitedMs += lookEveryMs) {
    const found = await client.findInstanceByKey('order', orderId)
    const last = found === undefined ? undefined : await followInstance(client, found.id, { onEntries: () => {} })
    if (last !== undefined) return last
    await pause(lookEveryMs)
  }
  throw new CommandFailure(
    `Order ${orderId} was placed ${appearsWithinMs / 1_000} s ago, and no instance of it is there.`,
  )
}

/** The order's life on one line. */
export function orderLine({ orderId, amount }: Order, instance: InstanceView, style: Style): string {
  const steps = ['placed']
  for (const { task, status } of instance.timeline) {
    const milestone = task === undefined || !Object.hasOwn(milestones, task) ? undefined : milestones[task]
    if (milestone !== undefined && status === 'COMPLETED') steps.push(printable(milestone(instance)))
  }
  const head = `${style.bold(orderId.padEnd(5))} ${style.dim(amount.toFixed(2).padStart(8))}  ${steps.join(style.dim(' → '))}`
  const arrow = style.dim(' → ')
  if (instance.status === 'COMPLETED') {
    return `${head}${arrow}${style.green(`completed in ${elapsed(instance.startedAt, instance.endedAt)}`)}`
  }
  const incident = instance.tasks.find(({ hasIncident }) => hasIncident)
  if (incident === undefined) return `${head}${arrow}${style.red(instance.status)}`
  const why = incident.error === undefined ? '' : ` (${printable(incident.error.code)})`
  return `${head}${arrow}${style.red(`incident at "${incident.name}"${why}, waits for a person`)}`
}
