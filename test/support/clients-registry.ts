// What another Kafka client writes by the schemas of a registry: its own serializer.
import { ConfluentSchemaRegistry } from '@platformatic/kafka'
import type { Json } from '../../src/base/json.ts'

/** Writes values by the schema of an id, Avro or JSON Schema. */
export async function clientsSerializer(url: string, id: number): Promise<(value: Json) => Buffer> {
  const registry = new ConfluentSchemaRegistry<unknown, Json>({ url })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  void registry.fetchSchema(id, (error) => (error ? reject(error) : resolve()))
  await promise
  const { value: serialize } = registry.getSerializers()
  return (value) => serialize(value, undefined, { topic: 't', value, metadata: { schemas: { value: id } } }) as Buffer
}
