// The clients that a worker can stand on, by name, and whether one may claim what is asked for.
import { ConfigError } from '../base/errors.ts'
import type { Guarantee, KafkaClientName } from '../base/kafka-settings.ts'
import type { Client } from './kafka/client.ts'

/** Loaded when it is wanted: a worker needs one. */
const clients: { readonly [name in KafkaClientName]: () => Promise<Client> } = {
  platformatic: async () => (await import('./platformatic/client.ts')).platformaticClient,
  kafkajs: async () => (await import('./kafkajs/client.ts')).kafkajsClient,
}

export function kafkaClient(name: KafkaClientName): Promise<Client> {
  return clients[name]()
}

/** @throws {ConfigError} DW_GUARANTEE: the conformance suite has shown that the client cannot hold it. */
export function checkGuarantee({ name, guarantee }: Pick<Client, 'name' | 'guarantee'>, wanted: Guarantee): void {
  if (guarantee === 'exactly-once' || wanted === 'at-least-once') return
  const message = `The client ${name} may claim at-least-once only: take another client, or set guarantee to at-least-once.`
  throw new ConfigError([{ code: 'DW_GUARANTEE', path: 'guarantee', message }])
}
