// Where what was committed lies: on the brokers that hold the changelog.
import type { Durability } from '../../runtime/face.ts'
import type { KafkaOptions } from './client.ts'
import { topicDetails } from './topic-details.ts'

/** What it is asked with is a connection of its own, so that it is asked for no more often. */
const keptMs = 60_000

/** Tells it, as far as it may be known. */
export function brokersDurability(options: KafkaOptions, changelog: string): () => Promise<Durability> {
  let told: { readonly durability: Promise<Durability>; readonly atMs: number } | undefined
  return () => {
    const nowMs = options.clock.nowMs()
    if (told === undefined || nowMs - told.atMs > keptMs) told = { durability: ask(options, changelog), atMs: nowMs }
    return told.durability
  }
}

async function ask(options: KafkaOptions, changelog: string): Promise<Durability> {
  const found = await topicDetails(options, [changelog]).catch(() => undefined)
  const topic = found?.get(changelog)
  if (topic === undefined || typeof topic === 'string') return { kind: 'brokers', changelog }
  const inSync = Number(topic.settings?.get('min.insync.replicas') ?? '')
  return {
    kind: 'brokers',
    changelog,
    ...(topic.replicas === undefined ? {} : { replicas: topic.replicas }),
    ...(inSync > 0 ? { minInsyncReplicas: inSync } : {}),
  }
}
