// Lists whose items have cursors, of all workers in one order.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { compareCursors, type OrderedPage, type WorkerFace } from '../runtime/face.ts'
import { isPassedOn, pagesOfAll, partitionsHeader } from './fleet.ts'
import { httpLimits } from './limits.ts'
import { list, object, problemAnswer, text, type Schema } from './schemas.ts'

/** What every such list is asked with. */
export const boundsQuery = {
  limit: {
    type: 'integer',
    minimum: 1,
    maximum: httpLimits.itemsListedMax,
    default: httpLimits.itemsListedDefault,
  },
  cursor: { type: 'string', pattern: '^[0-9]{1,15}@', description: '`next` of the page before, or an item’s cursor' },
} as const

/** The answers of a list of these items. */
export const orderedAnswer = (item: Schema): { readonly [status: string]: Schema } => ({
  200: object({ items: list(item), next: text }, ['next']),
  default: problemAnswer,
})

/** One page of what all workers have. @throws {Unavailable} A partition runs nowhere now. */
export async function orderEverywhere<Item extends { readonly cursor: string }>(
  listing: Promise<OrderedPage<Item>>,
  limit: number,
  worker: WorkerFace,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Omit<OrderedPage<Item>, 'partitions'>> {
  const own = await listing
  if (isPassedOn(request)) reply.header(partitionsHeader, own.partitions.join(','))
  const isAll = isPassedOn(request) || own.partitions.length === worker.partitionsInAll
  const { partitions: _, ...page } = isAll ? own : merge(await pagesOfAll(own, request, worker), limit)
  return page
}

/** A page that goes on was looked through up to its `next` only: what lies behind is not known yet. */
function merge<Item extends { readonly cursor: string }>(
  pages: readonly OrderedPage<Item>[],
  limit: number,
): OrderedPage<Item> {
  const [end] = pages.flatMap(({ next }) => (next === undefined ? [] : [next])).toSorted(compareCursors)
  const known = pages
    .flatMap(({ items }) => items)
    .filter(({ cursor }) => end === undefined || compareCursors(cursor, end) <= 0)
    .toSorted((a, b) => compareCursors(a.cursor, b.cursor))
  const items = known.slice(0, limit)
  const next = known.length > limit ? items.at(-1)?.cursor : end
  return { items, partitions: [], ...(next === undefined ? {} : { next }) }
}
