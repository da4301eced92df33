import { openKafkaLog } from '../../../src/adapters/kafka/log.ts'
import { createKafkaMembership } from '../../../src/adapters/kafka/membership.ts'
import { kafkajsClient } from '../../../src/adapters/kafkajs/client.ts'
import { systemClock } from '../../../src/adapters/system/clock.ts'
import { silentLogger } from '../../../src/base/logger.ts'
import type { Adapter } from '../suite/adapter.ts'

const surroundings = { client: kafkajsClient, clientId: 'conformance', clock: systemClock, logger: silentLogger }

/** `kafkajs`: of it the protocol and the connections; what is around them is ours. */
export const kafkajs: Adapter = {
  name: 'kafkajs',
  openLog: (brokers) => openKafkaLog({ brokers, ...surroundings }),
  createMembership: (group) => createKafkaMembership({ ...group, ...surroundings, standbys: 0 }),
  clientFaults: {},
  notHeld: {},
}
