// What JSON Schemas of questions and answers are made of, and the one answer that all addresses may give.

export type Schema = boolean | { readonly [keyword: string]: unknown }

/** An object with these members; the ones named in `optional` may be absent. */
export function object(members: { readonly [name: string]: Schema }, optional: readonly string[] = []): Schema {
  const required = Object.keys(members).filter((name) => !optional.includes(name))
  return { type: 'object', properties: members, required, additionalProperties: false }
}

export function list(items: Schema): Schema {
  return { type: 'array', items }
}

export const text: Schema = { type: 'string' }
export const flag: Schema = { type: 'boolean' }
export const count: Schema = { type: 'integer', minimum: 0 }
export const time: Schema = { type: 'string', format: 'date-time', description: 'RFC 3339' }
/** Any JSON value. */
export const json: Schema = {}
export const texts = list(text)

const violation = object(
  { in: { enum: ['body', 'query', 'path', 'header'] }, pointer: text, message: text, suggestion: text },
  ['in', 'suggestion'],
)

export const problemDocument = object(
  {
    type: text,
    title: text,
    status: count,
    detail: text,
    code: text,
    instance: text,
    violations: list(violation),
    suggestion: text,
    line: count,
    column: count,
    error_code: count,
  },
  ['violations', 'suggestion', 'line', 'column', 'error_code'],
)

/** What any address may answer beside its own: a problem document. */
export const problemAnswer = { content: { 'application/problem+json': { schema: problemDocument } } }
