// The OpenAPI 3.1 document: made of what the routes declare (GET /openapi.json). What several answers have in
// common stands in it once, by its name.
import { readFileSync } from 'node:fs'
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { roleFor } from './roles.ts'
import { problemDocument, type Schema } from './schemas.ts'
import * as views from './views.ts'

const packageFile: { readonly version: string; readonly license: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
)

/** By its text, what a schema is called in the document. */
const names: ReadonlyMap<string, string> = new Map(
  [...Object.entries(views), ['problem', problemDocument] as const].flatMap(([name, schema]) =>
    isSchema(schema) ? [[JSON.stringify(schema), `${name[0]?.toUpperCase()}${name.slice(1)}`] as const] : [],
  ),
)

/** Where a worker asks who calls; the scope of an operation is the role that it takes. */
const securitySchemes = {
  token: { type: 'http', scheme: 'bearer', description: 'of the tokens file, where there is one' },
} as const

/** Takes part in what is declared after it: goes before all routes. */
export function openapi(app: FastifyInstance): void {
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      components: { securitySchemes },
      info: {
        title: 'dagger-worker',
        description: 'Workflows over Kafka: their instances, what they wait for, and what people do to them.',
        version: packageFile.version,
        license: { name: packageFile.license, identifier: packageFile.license },
      },
    },
    convertConstToEnum: false,
    transform: ({ schema, url, route }) => {
      const role = roleFor([route.method].flat().join(), url)
      const security = role === 'none' ? [] : [{ token: [role] }]
      return { schema: { tags: [url.split('/')[1] ?? ''], security, ...schema }, url }
    },
    transformObject: (made) => ('openapiObject' in made ? named(made.openapiObject) : made.swaggerObject),
  })
}

/** The document with references to what has a name. */
function named(document: object): object {
  const schemas: { [name: string]: unknown } = {}
  const replaced = (value: unknown, isWhole: boolean): unknown => {
    if (typeof value !== 'object' || value === null) return value
    const name = isWhole ? undefined : names.get(JSON.stringify(value))
    if (name !== undefined) {
      schemas[name] ??= replaced(value, true)
      return { $ref: `#/components/schemas/${name}` }
    }
    if (Array.isArray(value)) return value.map((each) => replaced(each, false))
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, replaced(each, false)]))
  }
  return { ...Object(replaced(document, true)), components: { schemas, securitySchemes } }
}

function isSchema(value: unknown): value is Exclude<Schema, boolean> {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'properties')
}
