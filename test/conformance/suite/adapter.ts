// The conformance suite: what an adapter to Kafka has to hold on real brokers, whatever client it is built on. Each case is
// registered by its id, and an adapter says by id what its client gets wrong there by itself, which the title then tells,
// and what the adapter itself does not hold: such a case has to fail, so that nobody goes on believing it when it is mended.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Compression } from '../../../src/adapters/kafka/compression.ts'
import type { Log, Membership } from '../../../src/runtime/ports.ts'

export interface Adapter {
  readonly name: string
  openLog(brokers: readonly string[], compression?: Compression): Promise<Log>
  createMembership(group: GroupOptions): Membership
  /** By case: what the client does wrong by itself, or cannot do. */
  readonly clientFaults: Readonly<Record<string, string>>
  /** By case: why the adapter does not hold it. */
  readonly notHeld: Readonly<Record<string, string>>
}

export interface GroupOptions {
  readonly brokers: readonly string[]
  readonly groupId: string
  readonly topic: string
  readonly partitions: number
}

export type RegisterCase = (id: string, title: string, body: () => Promise<void>) => void

/** Registers cases of an adapter. */
export function casesOf(adapter: Adapter): RegisterCase {
  return (id, title, body) => {
    const fault = adapter.clientFaults[id]
    const told = fault === undefined ? title : `${title} (the client ${fault})`
    const reason = adapter.notHeld[id]
    if (reason === undefined) test(`${adapter.name}: ${told}`, body)
    else test(`${adapter.name} does not hold: ${told}; ${reason}`, () => assert.rejects(body))
  }
}
