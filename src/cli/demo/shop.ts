// A shop around workflows/order.yaml: the services that answer its commands, and the orders that come in.
//
// The services know nothing of workflows. Each reads a topic of commands and writes a topic of events, over the
// worker's HTTP API, as any program with a Kafka client would over Kafka.
import { setTimeout as pause } from 'node:timers/promises'
import type { Json } from '../../base/json.ts'
import type { Client } from '../client.ts'

/** An order of this amount and more is declined by the payment service. */
const declinedFrom = 1_000
const pollMs = 20_000
const topicEveryMs = 200

interface ServiceDescription {
  readonly commands: string
  readonly events: string
  /** How long the work takes, between the two. */
  readonly workMs: readonly [from: number, to: number]
  readonly answer: (command: { readonly [key: string]: Json }) => Json
}

const services: readonly ServiceDescription[] = [
  {
    commands: 'payment-commands',
    events: 'payment-events',
    workMs: [40, 160],
    answer: ({ orderId = null, amount = 0 }) => ({
      orderId,
      status: Number(amount) < declinedFrom ? 'paid' : 'declined',
    }),
  },
  {
    commands: 'warehouse-commands',
    events: 'warehouse-events',
    workMs: [60, 240],
    answer: ({ orderId = null }) => ({
      orderId,
      tracking: `T-${JSON.stringify(orderId).replaceAll(/\W/g, '')}-${Date.now() % 10_000}`,
    }),
  },
]

/** Runs the payment service and the warehouse until the client is closed; rejects when one of them cannot go on. */
export async function runServices(client: Client): Promise<never> {
  return Promise.race(services.map((service) => runService(client, service)))
}

async function runService(client: Client, service: ServiceDescription): Promise<never> {
  for (;;) {
    const topic = (await client.listTopics()).find(({ name }) => name === service.commands)
    if (topic !== undefined) {
      await Promise.all(topic.partitions.map(({ partition, earliest }) => serve(client, service, partition, earliest)))
    }
    // The worker creates it with the first workflow that names it.
    await pause(topicEveryMs)
  }
}

async function serve(client: Client, service: ServiceDescription, partition: number, earliest: number): Promise<void> {
  for (let offset = earliest; ;) {
    const page = await client.records(service.commands, partition, { offset, limit: 100, waitMs: pollMs })
    offset = page.nextOffset
    await Promise.all(page.records.map(({ key, value }) => work(client, service, key, Object(value))))
  }
}

async function work(
  client: Client,
  { workMs: [from, to], ...service }: ServiceDescription,
  key: Json,
  command: { readonly [key: string]: Json },
): Promise<void> {
  await pause(from + Math.random() * (to - from))
  await client.produce(service.events, [{ key, value: service.answer(command) }])
}

export interface Order {
  readonly orderId: string
  readonly amount: number
  /** Its payment will be declined: a person has to look at it. */
  readonly isPlannedIncident: boolean
}

/** The n-th order, from 1. The third one is too expensive for its payer. */
export function orderNumber(n: number): Order {
  const isPlannedIncident = n === 3
  const amount = isPlannedIncident ? 4_200 : 10 + ((n * 37) % 90) + 0.5
  return { orderId: `o-${n}`, amount, isPlannedIncident }
}

/** Places an order: one record in the topic that starts the workflow. */
export async function place(client: Client, { orderId, amount }: Order): Promise<void> {
  await client.produce('orders', [{ key: orderId, value: { orderId, amount } }])
}
