// What an operator does to a broker, by another client's admin: settings of topics and rights on them.
import {
  AclOperations,
  AclPermissionTypes,
  Admin,
  ConfigResourceTypes,
  IncrementalAlterConfigOperationTypes,
  ResourcePatternTypes,
  ResourceTypes,
} from '@platformatic/kafka'

const withAdmin = async (brokers: readonly string[], act: (admin: Admin) => Promise<unknown>): Promise<void> => {
  const admin = new Admin({ clientId: 'operator', bootstrapBrokers: [...brokers] })
  try {
    await act(admin)
  } finally {
    await admin.close()
  }
}

export function createTopicWith(
  brokers: readonly string[],
  topic: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const configs = Object.entries(settings).map(([name, value]) => ({ name, value }))
  return withAdmin(brokers, (admin) => admin.createTopics({ topics: [topic], partitions: 1, replicas: 1, configs }))
}

export function setOfTopic(brokers: readonly string[], topic: string, name: string, value: string): Promise<void> {
  const config = { name, configOperation: IncrementalAlterConfigOperationTypes.SET, value }
  const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs: [config] }
  return withAdmin(brokers, (admin) => admin.incrementalAlterConfigs({ resources: [resource] }))
}

const rule = (topic: string, operation: keyof typeof AclOperations) => ({
  resourceType: ResourceTypes.TOPIC,
  resourceName: topic,
  resourcePatternType: ResourcePatternTypes.LITERAL,
  principal: 'User:ANONYMOUS',
  host: '*',
  operation: AclOperations[operation],
  permissionType: AclPermissionTypes.DENY,
})

/** Takes a right on a topic from everybody, on a broker that has an authoriser. */
export function deny(brokers: readonly string[], topic: string, operation: keyof typeof AclOperations): Promise<void> {
  return withAdmin(brokers, (admin) => admin.createAcls({ creations: [rule(topic, operation)] }))
}

/** Gives it back. */
export function allow(brokers: readonly string[], topic: string, operation: keyof typeof AclOperations): Promise<void> {
  return withAdmin(brokers, (admin) => admin.deleteAcls({ filters: [rule(topic, operation)] }))
}
