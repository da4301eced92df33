// The conformance suite on three brokers, for `@platformatic/kafka`.
import { platformatic } from './adapters/platformatic.ts'
import { clusterCases } from './suite/cluster.ts'

clusterCases(platformatic)
