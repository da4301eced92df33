// The conformance suite on one broker that is well, for `@platformatic/kafka`.
import { useKafka } from '../support/kafka/use-kafka.ts'
import { kafkajs } from './adapters/kafkajs.ts'
import { platformatic } from './adapters/platformatic.ts'
import { compressionCases } from './suite/compression.ts'
import { groupCases } from './suite/group.ts'
import { otherClientsCases } from './suite/other-clients.ts'
import { readingCases } from './suite/reading.ts'
import { transactionalIdCases } from './suite/transactional-id.ts'

const brokers = useKafka()
readingCases(platformatic, brokers)
otherClientsCases(platformatic, brokers)
transactionalIdCases(platformatic, brokers)
groupCases(platformatic, kafkajs, brokers)
compressionCases(platformatic, brokers)
