// Kafka for a test file. In order: the brokers that KAFKA_BROKERS names (an operator's, or the one that test/run.ts
// started for all files), else one started for this file alone. Nothing is skipped: no Kafka fails the tests.
import { after, before } from 'node:test'
import { startBroker } from './broker.ts'
import type { KafkaBroker } from './broker.ts'

/** Registers hooks; the result gives the addresses once tests run. */
export function useKafka(): () => readonly string[] {
  let brokers: readonly string[] = []
  let own: KafkaBroker | undefined
  before(async () => {
    const named = process.env['KAFKA_BROKERS']
    if (named) {
      brokers = named.split(',').map((address) => address.trim())
      return
    }
    own = await startBroker()
    brokers = [own.address]
  })
  after(() => own?.dispose())
  return () => brokers
}
