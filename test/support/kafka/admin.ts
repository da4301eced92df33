// What an operator does to a broker, by another client's admin: topics with settings, and rights on them.
import { setTimeout as pause } from 'node:timers/promises'
import { AclOperations, AclPermissionTypes, Admin, ResourcePatternTypes, ResourceTypes } from '@platformatic/kafka'

const withAdmin = async (brokers: readonly string[], act: (admin: Admin) => Promise<unknown>): Promise<void> => {
  const admin = new Admin({ clientId: 'operator', bootstrapBrokers: [...brokers] })
  try {
    await act(admin)
  } finally {
    await admin.close()
  }
}

export async function createTopicWith(
  brokers: readonly string[],
  topic: string,
  settings: Readonly<Record<string, string>>,
  replicas = 1,
): Promise<void> {
  const configs = Object.entries(settings).map(([name, value]) => ({ name, value }))
  await withAdmin(brokers, (admin) => admin.createTopics({ topics: [topic], partitions: 1, replicas, configs }))
  // Brokers hear of it a moment after the one that was asked has answered.
  for (const broker of brokers) await withAdmin([broker], (admin) => untilKnown(admin, topic))
}

async function untilKnown(admin: Admin, topic: string): Promise<void> {
  const giveUpAtMs = performance.now() + 10_000
  for (;;) {
    try {
      await admin.metadata({ topics: [topic], forceUpdate: true })
      return
    } catch (error) {
      if (performance.now() > giveUpAtMs) throw error
      await pause(20)
    }
  }
}

const rule = (topic: string, operation: keyof typeof AclOperations, permission: 'ALLOW' | 'DENY') => ({
  resourceType: ResourceTypes.TOPIC,
  resourceName: topic,
  resourcePatternType: ResourcePatternTypes.LITERAL,
  principal: 'User:ANONYMOUS',
  host: '*',
  operation: AclOperations[operation],
  permissionType: AclPermissionTypes[permission],
})

/** One right less for everybody, on a broker with an authoriser. What a rule names is open to nobody but by a rule: hence two. */
const without = (topic: string, operation: keyof typeof AclOperations) => [
  rule(topic, 'ALL', 'ALLOW'),
  rule(topic, operation, 'DENY'),
]

/** Takes a right on a topic from everybody. */
export function deny(brokers: readonly string[], topic: string, operation: keyof typeof AclOperations): Promise<void> {
  return withAdmin(brokers, (admin) => admin.createAcls({ creations: without(topic, operation) }))
}

/** Gives it back. */
export function allow(brokers: readonly string[], topic: string, operation: keyof typeof AclOperations): Promise<void> {
  return withAdmin(brokers, (admin) => admin.deleteAcls({ filters: without(topic, operation) }))
}
