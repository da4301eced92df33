// The conformance suite on brokers that fail and networks that lose, for `kafkajs`.
import { kafkajs } from './adapters/kafkajs.ts'
import { brokerFaultsCases } from './suite/broker-faults.ts'
import { impatientBrokerCases } from './suite/impatient-broker.ts'
import { lostAnswersCases } from './suite/lost-answers.ts'

lostAnswersCases(kafkajs)
impatientBrokerCases(kafkajs)
brokerFaultsCases(kafkajs)
