import { openKafkaLog } from '../../../src/adapters/kafka/log.ts'
import { createKafkaMembership } from '../../../src/adapters/kafka/membership.ts'
import { platformaticClient } from '../../../src/adapters/platformatic/client.ts'
import { systemClock } from '../../../src/adapters/system/clock.ts'
import { silentLogger } from '../../../src/base/logger.ts'
import type { Adapter } from '../suite/adapter.ts'

const surroundings = { client: platformaticClient, clientId: 'conformance', clock: systemClock, logger: silentLogger }

/** `@platformatic/kafka`: of it the protocol and the connections; what is around them is ours. */
export const platformatic: Adapter = {
  name: '@platformatic/kafka',
  openLog: (brokers, compression = 'none') => openKafkaLog({ brokers, compression, ...surroundings }),
  createMembership: (group) => createKafkaMembership({ ...group, ...surroundings, standbys: 0 }),
  clientFaults: {
    'aborts-twice': 'by itself remembers one range of a producer, and gives the other',
    'large-abort': 'by itself drops a range whose marker is not fetched, and gives most of it',
    restart: 'by itself claims id 0 and epoch 0, and is fenced',
  },
  notHeld: {},
}
