import { openKafkaLog } from '../../src/adapters/kafka/log.ts'
import { kafkajsClient } from '../../src/adapters/kafkajs/client.ts'
import { platformaticClient } from '../../src/adapters/platformatic/client.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { Log } from '../../src/runtime/ports.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'
import { logContract } from './log-contract.ts'

const brokers = useKafka()
const surroundings = { clientId: 'contract', clock: systemClock, logger: silentLogger }

for (const [name, client] of [
  ['@platformatic/kafka', platformaticClient],
  ['kafkajs', kafkajsClient],
] as const) {
  logContract(`kafka log by ${name}`, async () => {
    const open = () => openKafkaLog({ client, brokers: brokers(), ...surroundings })
    let current: Log = await open()
    return {
      log: current,
      reopen: async () => {
        await current.close()
        return (current = await open())
      },
      dispose: () => current.close(),
    }
  })
}
