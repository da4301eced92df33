// The conformance suite on one broker that is well, for `kafkajs`.
import { useKafka } from '../support/kafka/use-kafka.ts'
import { kafkajs } from './adapters/kafkajs.ts'
import { platformatic } from './adapters/platformatic.ts'
import { compressionCases } from './suite/compression.ts'
import { groupCases } from './suite/group.ts'
import { otherClientsCases } from './suite/other-clients.ts'
import { readingCases } from './suite/reading.ts'
import { transactionalIdCases } from './suite/transactional-id.ts'

const brokers = useKafka()
readingCases(kafkajs, brokers)
otherClientsCases(kafkajs, brokers)
transactionalIdCases(kafkajs, brokers)
groupCases(kafkajs, platformatic, brokers)
compressionCases(kafkajs, brokers)
