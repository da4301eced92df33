// Second addresses of routes. An alias is made of its route, so that the two answer the same and cannot drift apart.
import type { FastifyInstance } from 'fastify'

/** By the address that a route has: the other one, and the name of that operation. */
const aliases: ReadonlyMap<string, { readonly url: string; readonly operationId: string }> = new Map([
  ['/instances', { url: '/tasks/instances', operationId: 'listTaskInstances' }],
  ['/instances/:id', { url: '/tasks/instance/:id', operationId: 'getTaskInstance' }],
])

/** From now on routes that are read get their aliases as they come. */
export function addAliases(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const alias = aliases.get(route.url)
    if (alias === undefined || route.method !== 'GET') return
    const { url, operationId } = alias
    app.route({ ...route, url, schema: { ...route.schema, operationId } })
  })
}
