// What is asked of a registry over HTTP: three calls of Confluent's API, which Apicurio, Karapace and Redpanda have as well.
import { thrownText } from '../../base/thrown.ts'
import { TransientFault } from '../../base/errors.ts'
import type { SchemaText } from './codec.ts'

export interface RegistryConnection {
  /** Without a path's end: "http://localhost:8081". */
  readonly url: string
  readonly username?: string
  /** Read for each request: what was exchanged counts from the next one on. */
  readonly password?: () => string
}

/** The registry has nothing of that name or id. */
export class NotRegistered extends Error {}

interface Answer {
  readonly id?: number
  readonly schema: string
  readonly schemaType?: string
  readonly references?: readonly { readonly name: string; readonly subject: string; readonly version: number }[]
}

const answerWithinMs = 5_000
const schemaBytesMax = 4 * 1_048_576
const referencesMax = 200

/** @throws {NotRegistered} @throws {TransientFault} It does not answer, or not as a registry does. */
export const schemaOfId = async (registry: RegistryConnection, id: number): Promise<SchemaText> =>
  withReferences(registry, await ask(registry, `/schemas/ids/${id}`))

/** The latest version of a subject. @throws {NotRegistered} @throws {TransientFault} */
export async function latestOf(
  registry: RegistryConnection,
  subject: string,
): Promise<SchemaText & { readonly id: number }> {
  const answer = await ask(registry, `/subjects/${encodeURIComponent(subject)}/versions/latest`)
  if (answer.id === undefined) throw new TransientFault(`${registry.url} gave a schema without an id`)
  return { ...(await withReferences(registry, answer)), id: answer.id }
}

async function withReferences(registry: RegistryConnection, answer: Answer): Promise<SchemaText> {
  const found = new Map<string, string>()
  const seen = new Set<string>()
  const visit = async ({ references = [] }: Answer): Promise<void> => {
    for (const { name, subject, version } of references) {
      if (seen.has(name)) continue
      seen.add(name)
      if (seen.size > referencesMax) throw new NotRegistered(`a schema with more than ${referencesMax} references`)
      const referred = await ask(registry, `/subjects/${encodeURIComponent(subject)}/versions/${version}`)
      await visit(referred)
      found.set(name, referred.schema)
    }
  }
  await visit(answer)
  const references = Array.from(found, ([name, text]) => ({ name, text }))
  return { type: answer.schemaType ?? 'AVRO', text: answer.schema, references }
}

async function ask({ url, username, password }: RegistryConnection, path: string): Promise<Answer> {
  const authorization = username === undefined ? undefined : basic(username, readPassword(password))
  let response: Response
  let text: string
  try {
    response = await fetch(`${url}${path}`, {
      headers: {
        accept: 'application/vnd.schemaregistry.v1+json, application/json',
        ...(authorization === undefined ? {} : { authorization }),
      },
      signal: AbortSignal.timeout(answerWithinMs),
    })
    text = await response.text()
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    throw new TransientFault(`the schema registry at ${url} does not answer: ${thrownText(cause)}`, { cause: error })
  }
  if (response.status === 404) throw new NotRegistered(`the schema registry has no ${path}`)
  if (!response.ok) throw new TransientFault(`the schema registry at ${url} answers ${path} with ${response.status}`)
  try {
    const answer = JSON.parse(text) as Partial<Answer>
    if (typeof answer.schema !== 'string' || text.length > schemaBytesMax) throw new Error('no schema')
    return { ...answer, schema: answer.schema }
  } catch (error) {
    throw new TransientFault(`what answers at ${url} is no schema registry`, { cause: error })
  }
}

function readPassword(password: RegistryConnection['password']): string {
  try {
    return password?.() ?? ''
  } catch (error) {
    throw new TransientFault(`the password of the schema registry cannot be read: ${thrownText(error)}`, {
      cause: error,
    })
  }
}

const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
