// The conformance suite on brokers that fail and networks that lose, for `@platformatic/kafka`.
import { platformatic } from './adapters/platformatic.ts'
import { brokerFaultsCases } from './suite/broker-faults.ts'
import { impatientBrokerCases } from './suite/impatient-broker.ts'
import { lostAnswersCases } from './suite/lost-answers.ts'

lostAnswersCases(platformatic)
impatientBrokerCases(platformatic)
brokerFaultsCases(platformatic)
