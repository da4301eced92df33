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
  openLog: (brokers, compression = 'none') => openKafkaLog({ brokers, compression, ...surroundings }),
  createMembership: (group) => createKafkaMembership({ ...group, ...surroundings, standbys: 0 }),
  clientFaults: {
    'overlapping-aborts': 'by itself gives aborted records where it begins to read inside of them',
    'java-snappy': 'by itself cannot read it',
    'java-lz4': 'by itself cannot read it',
    'java-zstd': 'by itself cannot read it',
    'node-snappy': 'by itself cannot read it',
    'node-lz4': 'by itself cannot read it',
    'node-zstd': 'by itself cannot read it',
    'back-to-back': 'by itself waits 100 ms and more for them',
    'topic-made-anew': 'by itself knows no ids of topics',
  },
  notHeld: {},
}
