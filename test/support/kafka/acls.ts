// Rights as `kafka-acls.sh` gives them: its lines are read as they stand in the README, and given by another client's admin.
import assert from 'node:assert/strict'
import { AclOperations, AclPermissionTypes, Admin, ResourcePatternTypes, ResourceTypes } from '@platformatic/kafka'

export interface Right {
  readonly resource: 'TOPIC' | 'GROUP' | 'TRANSACTIONAL_ID'
  readonly name: string
  readonly isPrefix: boolean
  /** "Read", as the script has it. */
  readonly operation: string
}

const resources: { readonly [flag: string]: Right['resource'] } = {
  '--topic': 'TOPIC',
  '--group': 'GROUP',
  '--transactional-id': 'TRANSACTIONAL_ID',
}

/** What a line of arguments grants; an option that is not known fails. */
export function rightsOf(line: string): readonly Right[] {
  const operations: string[] = []
  const named: { resource: Right['resource']; name: string }[] = []
  let isPrefix = false
  const words = line.trim().split(/\s+/)
  for (let at = 0; at < words.length; at += 2) {
    const [flag = '', value = ''] = words.slice(at, at + 2)
    const resource = resources[flag]
    if (resource !== undefined) named.push({ resource, name: value })
    else if (flag === '--operation') operations.push(value)
    else if (flag === '--resource-pattern-type') isPrefix = value === 'prefixed'
    else assert.fail(`nobody knows what ${flag} means`)
  }
  return named.flatMap((each) => operations.map((operation) => ({ ...each, isPrefix, operation })))
}

const operationOf = (name: string): keyof typeof AclOperations => {
  const id = name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()
  assert.ok(Object.hasOwn(AclOperations, id), name)
  return id as keyof typeof AclOperations
}

const aclOf = (principal: string, { resource, name, isPrefix, operation }: Right) => ({
  resourceType: ResourceTypes[resource],
  resourceName: name,
  resourcePatternType: isPrefix ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
  principal,
  host: '*',
  operation: AclOperations[operationOf(operation)],
  permissionType: AclPermissionTypes.ALLOW,
})

async function withAdmin(broker: string, act: (admin: Admin) => Promise<unknown>): Promise<void> {
  const admin = new Admin({ clientId: 'administrator', bootstrapBrokers: [broker] })
  try {
    await act(admin)
  } finally {
    await admin.close()
  }
}

export const grant = (broker: string, principal: string, rights: readonly Right[]): Promise<void> =>
  withAdmin(broker, (admin) => admin.createAcls({ creations: rights.map((right) => aclOf(principal, right)) }))

export const revoke = (broker: string, principal: string, rights: readonly Right[]): Promise<void> =>
  withAdmin(broker, (admin) => admin.deleteAcls({ filters: rights.map((right) => aclOf(principal, right)) }))
