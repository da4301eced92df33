// Every operation of the OpenAPI document, asked for by a client that knows nothing but the document: requests that it
// allows, and the same with something wrong in them. No answer is an error of the server's, and each is one that the
// document declares. (schemathesis does the same with more cunning: test/README.md.)
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { createGeneratorSync, type JsonSchema } from 'json-schema-faker'
import { tokenLine, tokenOf } from '../../src/config/access-file.ts'
import { createRandom } from '../simulation/random.ts'
import { Site } from '../support/daemon.ts'

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: JsonSchema
}

interface Operation {
  readonly operationId: string
  readonly security: readonly { readonly token: readonly string[] }[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: { readonly [type: string]: { readonly schema: JsonSchema } } }
  readonly responses: { readonly [status: string]: { readonly content: { readonly [type: string]: object } } }
}

interface Document {
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } }
  readonly components: { readonly schemas: { readonly [name: string]: JsonSchema } }
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: { readonly [name: string]: string }
  readonly body?: string
}

const seed = 7
const requestsEach = 30
const { chance, pick, int } = createRandom(seed)

const workflow = `
workflow: order
start: [{ topic: orders }]
vars: { seen: 0 }
tasks:
  - { name: review, type: signal, signal: reviewed }
  - { name: answer, type: kafka-listener, topic: answers, correlate: { message: message.key, instance: instance.key } }
`

test('no request that the document allows, or nearly, is answered with an error of the server', async (t) => {
  const site = Site.of(t, { 'workflows/order.yaml': workflow })
  const daemon = await site.start()
  const { url } = daemon.report
  await daemon.produce('orders', 'o-1', {})
  const { id } = await daemon.instance('order', 'o-1', ({ status }) => status === 'EXECUTING')
  const known: { readonly [parameter: string]: readonly string[] } = {
    id: [id],
    workflow: ['order'],
    name: ['order'],
    key: ['o-1'],
    topic: ['orders', 'answers', 'dagger.dead-letter'],
    partition: ['0', '1'],
    offset: ['0'],
  }
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document
  const ajv = addFormats.default(new Ajv2020({ strict: false }))
  ajv.addSchema({ $id: 'openapi', ...document })
  const generator = createGeneratorSync({ seed, optionalsProbability: 0.5 })
  const statuses = new Map<string, number>()
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      for (let request = 0; request < requestsEach; request++) {
        const asked = requestOf(method.toUpperCase(), path, operation, known, (schema) => generator.generate(schema))
        const answer = await fetch(url + asked.path, { ...asked, signal: AbortSignal.timeout(30_000) })
        const told = `${asked.method} ${asked.path} ${asked.body?.slice(0, 500) ?? ''}: ${answer.status}`
        const type = answer.headers.get('content-type')?.split(';', 1)[0] ?? ''
        const text = await textOf(answer, type)
        assert.ok(answer.status < 500 || answer.status === 503, `${told} ${text}`)
        const status = String(answer.status) in operation.responses ? String(answer.status) : 'default'
        assert.ok(type in operation.responses[status]!.content, `${told}: ${type} is not declared`)
        if (type.endsWith('json')) {
          const pointer = ['paths', path, method, 'responses', status, 'content', type, 'schema'].map(escaped).join('/')
          const isDeclared = ajv.getSchema(`openapi#/${pointer}`)!
          assert.ok(isDeclared(JSON.parse(text)), `${told}: ${ajv.errorsText(isDeclared.errors)}`)
        }
        const outcome = `${operation.operationId} ${answer.ok}`
        statuses.set(outcome, (statuses.get(outcome) ?? 0) + 1)
      }
    }
  }
  for (const methods of Object.values(document.paths))
    for (const { operationId } of Object.values(methods))
      assert.ok([...statuses.keys()].some((outcome) => outcome.startsWith(`${operationId} `)))
  const answered = [...statuses].filter(([outcome]) => outcome.endsWith('true')).length
  assert.ok(answered > statuses.size / 3, `too little was accepted to tell anything: ${JSON.stringify([...statuses])}`)
  assert.equal(daemon.log.filter(({ msg }) => msg === 'a request failed').length, 0)
})

test('no operation but probes opens to who has no token, and none that changes anything to who may only read', async (t) => {
  const token = tokenOf(new Uint8Array(32).fill(3))
  const site = Site.of(t, { 'workflows/order.yaml': workflow, tokens: tokenLine('reader', 'read', token) })
  const { url } = (await site.start('--tokens-file', 'tokens')).report
  const authorization = `Bearer ${token}`
  const document = (await (await fetch(`${url}/openapi.json`, { headers: { authorization } })).json()) as Document
  const generator = createGeneratorSync({ seed })
  let refused = 0
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const asked = requestOf(method.toUpperCase(), path, operation, {}, (schema) => generator.generate(schema))
      const ask = async (headers: { readonly [name: string]: string }): Promise<number> => {
        const { authorization: _, ...others } = asked.headers
        const answer = await fetch(url + asked.path, { ...asked, headers: { ...others, ...headers } })
        await answer.body?.cancel()
        return answer.status
      }
      const [need] = operation.security
      if (need === undefined) continue
      for (const headers of [{}, { authorization: 'Bearer of-nobody' }]) {
        // 429: strangers of one address are answered so often only.
        const status = await ask(headers)
        assert.ok(status === 401 || status === 429, `${asked.method} ${asked.path}: ${status}`)
      }
      if (need.token.includes('operate')) assert.equal(await ask({ authorization }), 403, asked.path)
      refused += 1
    }
  }
  assert.ok(refused > 40)
})

function requestOf(
  method: string,
  path: string,
  { parameters = [], requestBody }: Operation,
  known: { readonly [parameter: string]: readonly string[] },
  made: (schema: JsonSchema) => unknown,
): Asked {
  const value = ({ name, schema }: Parameter): string => {
    if (name === 'waitMs') return '1'
    if (chance(0.1)) return pick(['', '%', '-1', '99999999999999999999', '\u0000', '__proto__', 'ö'.repeat(300)])
    const names = known[name]
    return names !== undefined && chance(0.8) ? pick(names) : String(made(schema))
  }
  const query = new URLSearchParams()
  const headers: { [name: string]: string } = {}
  let filled = path
  for (const parameter of parameters) {
    const { name } = parameter
    if (parameter.in === 'path') filled = filled.replace(`{${name}}`, encodeURIComponent(value(parameter)) || '%20')
    else if (chance(0.5) || parameter.required === true) {
      if (parameter.in === 'query') query.set(name, value(parameter))
      else headers[name] = encodeURIComponent(value(parameter)).slice(0, 250)
    }
  }
  if (chance(0.05)) query.set('unknown', '1')
  const asked = { method, path: query.size === 0 ? filled : `${filled}?${query.toString()}`, headers }
  if (requestBody === undefined) return asked
  const type = pick(Object.keys(requestBody.content))
  const body = made(requestBody.content[type]!.schema)
  return { ...asked, headers: { ...headers, 'content-type': type }, body: spoiled(JSON.stringify(bent(body))) }
}

/** A stream of events has no end. */
async function textOf(answer: Response, type: string): Promise<string> {
  if (type !== 'text/event-stream') return answer.text()
  await answer.body?.cancel()
  return ''
}

/** Mostly as it is; sometimes a member is another thing, or one too many. */
function bent(body: unknown): unknown {
  if (!chance(0.3) || typeof body !== 'object' || body === null || Array.isArray(body)) return body
  const names = [...Object.keys(body), 'unknown']
  return { ...body, [pick(names)]: pick<unknown>([null, 0, -1, 1e300, '', [], {}, [[[]]], true]) }
}

const spoiled = (text: string): string => (chance(0.05) ? text.slice(0, int(text.length)) : text)

/** As a JSON pointer in a URL has it. */
const escaped = (part: string): string => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))
