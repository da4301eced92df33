// The OpenAPI document against the routes: each route is in it as it is declared, and it is a valid document.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { declaredRoutes, serve } from '../support/http.ts'

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: object
  readonly responses: { readonly [status: string]: { readonly content: { readonly [type: string]: object } } }
}

interface Document {
  readonly openapi: string
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } }
  readonly components: { readonly schemas: { readonly [name: string]: object } }
}

suite('GET /openapi.json', () => {
  test('is a valid OpenAPI 3.1 document', async (t) => {
    const { call } = await serve(t)
    const { status, body } = await call<Document>('/openapi.json')
    assert.deepEqual([status, body.openapi], [200, '3.1.0'])
    assert.deepEqual(await new Validator().validate({ ...structuredClone(body) }), { valid: true })
  })

  test('has every route with what it asks for and what it answers, and nothing else', async (t) => {
    const { call } = await serve(t)
    const { paths } = (await call<Document>('/openapi.json')).body
    const told = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
    )
    const declared = declaredRoutes.map(({ method, url, schema }) => ({
      route: `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`,
      schema,
    }))
    assert.deepEqual(told.map(({ route }) => route).sort(), declared.map(({ route }) => route).sort())
    const ids = told.map(({ operation }) => operation.operationId)
    assert.equal(new Set(ids).size, ids.length)
    for (const { route, schema } of declared) {
      const { operation } = told.find((one) => one.route === route)!
      assert.ok(operation.operationId !== undefined && operation.summary !== undefined, `${route} has no name`)
      const names = (part: string): readonly string[] =>
        Object.keys(Object(Object(schema[part]).properties)).map((name) => `${part} ${name}`)
      const places = { path: 'params', query: 'querystring', header: 'headers' } as const
      assert.deepEqual(
        (operation.parameters ?? []).map((each) => `${places[each.in as keyof typeof places]} ${each.name}`).sort(),
        ['params', 'querystring', 'headers'].flatMap(names).sort(),
        route,
      )
      assert.equal(operation.requestBody !== undefined, schema['body'] !== undefined, route)
      assert.deepEqual(Object.keys(operation.responses), Object.keys(Object(schema['response'])), route)
    }
  })

  test('tells what several answers have in common once, by name', async (t) => {
    const { call } = await serve(t)
    const { components, paths } = (await call<Document>('/openapi.json')).body
    assert.deepEqual(paths['/instances/{id}']?.['get']?.responses['200']?.content, {
      'application/json': { schema: { $ref: '#/components/schemas/InstanceView' } },
    })
    assert.deepEqual(paths['/instances']?.['get']?.responses['default']?.content, {
      'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
    })
    assert.ok(Object.keys(components.schemas).length > 10)
  })
})
