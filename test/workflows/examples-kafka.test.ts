// The examples of workflows/ on Kafka: the same courses as on the embedded log, with the same ends.
import { randomUUID } from 'node:crypto'
import { useKafka } from '../support/kafka/use-kafka.ts'
import { playGallery } from './stage.ts'

const brokers = useKafka()

playGallery((name) => {
  const app = `gallery-${name}-${randomUUID().slice(0, 8)}`
  return { flags: ['--brokers', brokers().join(',')], app, prefix: `${app}-` }
})
