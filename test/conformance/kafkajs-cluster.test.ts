// The conformance suite on three brokers, for `kafkajs`.
import { kafkajs } from './adapters/kafkajs.ts'
import { clusterCases } from './suite/cluster.ts'

clusterCases(kafkajs)
