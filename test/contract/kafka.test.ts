import { openKafkaLog } from '../../src/adapters/kafka/log.ts'
import { platformaticClient } from '../../src/adapters/platformatic/client.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { Log } from '../../src/runtime/ports.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'
import { logContract } from './log-contract.ts'

const brokers = useKafka()

logContract('kafka log', async () => {
  const open = () =>
    openKafkaLog({
      client: platformaticClient,
      brokers: brokers(),
      clientId: 'contract',
      clock: systemClock,
      logger: silentLogger,
    })
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
