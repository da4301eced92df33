// Any worker answers for all: what another worker runs is asked there, by the same API. A request that comes from a
// worker is answered from what runs here, so that none goes round in circles.
import type { ReadableStream } from 'node:stream/web'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { traceHeaders } from '../base/tracing.ts'
import type { FleetFace, InstancePage, InstanceSummary, WorkerFace, WorkerRecord } from '../runtime/face.ts'
import { Unavailable } from '../runtime/face.ts'
import { callerHeader, type Caller } from './access.ts'
import { eventStreamType, type EventStreams } from './event-stream.ts'
import { httpLimits } from './limits.ts'
import { HttpProblem } from './problem.ts'
import { traceOf } from './tracing.ts'

/** Set by a worker that passes a request on. It lets nobody in: who asks is asked again. */
const passedOnHeader = 'dagger-worker-passed-on'
/** The partitions that a list was answered from. */
export const partitionsHeader = 'dagger-worker-partitions'
const requestHeaders = ['accept', 'idempotency-key', 'last-event-id'] as const
const replyHeaders = ['content-type', 'location', 'retry-after', partitionsHeader] as const

/** How TLS fails before anything is sent. */
const untrusted = /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/

export const isPassedOn = ({ headers }: Pick<FastifyRequest, 'headers'>): boolean =>
  headers[passedOnHeader] !== undefined

/** On whose behalf other workers are asked: a request, or what goes on after it was answered. */
export type Asker = Pick<FastifyRequest, 'headers' | 'server'> & { readonly caller?: Caller | undefined }
export type Question = Asker & Pick<FastifyRequest, 'url'>

/** Of a request, what is kept of it for later. */
export const askerOf = ({ headers, server, caller }: FastifyRequest): Asker => ({ headers, server, caller })

/** Whether they run something or not. */
export const everybody = (): boolean => true

/** Where a request is passed on to that failed here with this error; undefined: it is answered here. */
export function ownerOf(error: unknown, request: FastifyRequest, fleet: FleetFace): string | undefined {
  return isPassedOn(request) ? undefined : urlOfOwner(error, fleet)
}

/** The worker that runs the partition for which something failed here with this error; undefined: none, or not for that. */
export function urlOfOwner(error: unknown, fleet: FleetFace): string | undefined {
  const partition = error instanceof Unavailable ? error.partition : undefined
  return partition === undefined ? undefined : fleet.urlOf(partition)
}

/** Gives the caller what the worker at `url` answers. @throws {HttpProblem} It does not answer. */
export async function passOn(
  url: string,
  request: FastifyRequest,
  reply: FastifyReply,
  streams: EventStreams,
): Promise<void> {
  const { method, body } = request
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const headers = passedOnHeaders(request, url)
  for (const name of requestHeaders) {
    const value = request.headers[name]
    if (typeof value === 'string') headers.set(name, value)
  }
  for (const [name, value] of Object.entries(traceHeaders(traceOf(request)))) headers.set(name, value)
  const hasBody = body !== undefined && body !== null
  if (hasBody) headers.set('content-type', 'application/json')
  let answer: Response
  let text: string
  const late = setTimeout(() => gone.abort(), httpLimits.passedOnMs)
  try {
    answer = await request.server.doors.askPeer(`${url}${request.url}`, {
      method,
      headers,
      signal: gone.signal,
      ...(hasBody ? { body: JSON.stringify(body) } : {}),
    })
    const isStream = answer.headers.get('content-type')?.startsWith(eventStreamType) === true
    if (isStream && answer.body !== null) return await streams.relay(answer.body, reply)
    text = await answer.text()
  } catch (error) {
    if (error instanceof Unavailable) throw error
    throw unanswered(url, method, error)
  } finally {
    clearTimeout(late)
  }
  if (isRefused(answer)) throw refusedBy(url)
  for (const name of replyHeaders) {
    const value = answer.headers.get(name)
    if (value !== null) reply.header(name, value)
  }
  reply.code(answer.status)
  // As it is: it was serialized there.
  await reply.serializer((sent: unknown) => String(sent)).send(text)
}

/** Who asks, for the other worker to know: by the token that was sent, or, with certificates, by our word. */
/** @throws {HttpProblem} peer-refused: it would get a token in clear that came here under TLS. */
function passedOnHeaders({ headers, caller, server }: Asker, url: string): Headers {
  if (headers.authorization !== undefined && server.doors.tls !== undefined && !url.startsWith('https:'))
    throw new HttpProblem('peer-refused', `The worker at ${url} has no TLS and gets no token: give it a certificate.`)
  const passed = new Headers({ [passedOnHeader]: 'yes' })
  if (headers.authorization !== undefined) passed.set('authorization', headers.authorization)
  else if (caller !== undefined) passed.set(callerHeader, `${caller.name} ${caller.role}`)
  return passed
}

/** Whoever asked was let in here, so that it is the other worker's settings that differ. */
const isRefused = ({ status }: Response): boolean => status === 401 || status === 403

const refusedBy = (url: string): HttpProblem =>
  new HttpProblem(
    'peer-refused',
    `The worker at ${url} does not let in who asks here: give all workers of the application the same tokens file, with a line "NAME worker certificate" for each where they have certificates, and a Host that it serves.`,
  )

function unanswered(url: string, method: string, error: unknown): HttpProblem {
  const { cause }: { cause?: unknown } = Object(error)
  const { code }: { code?: string } = Object(cause)
  if (code !== undefined && untrusted.test(code)) {
    const detail = `The certificate of the worker at ${url} is not trusted (${code}): name who signed it in tlsCaFile.`
    return new HttpProblem('not-ready', detail)
  }
  const detail = `The worker at ${url}, which runs this partition, does not answer${code === undefined ? '' : ` (${code})`}.`
  if (method === 'GET' || code === 'ECONNREFUSED') return new HttpProblem('not-ready', detail)
  return new HttpProblem(
    'outcome-unknown',
    `${detail} It may have done it: look, or repeat a start with the same Idempotency-Key.`,
  )
}

/** What a worker answers to a question, or to what it is to do where there is a body. @throws {HttpProblem} It does not. */
export async function askPeer(
  url: string,
  question: Question,
  body?: unknown,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const method = body === undefined ? 'GET' : 'POST'
  const headers = passedOnHeaders(question, url)
  if (body !== undefined) headers.set('content-type', 'application/json')
  let answer: Response
  try {
    answer = await question.server.doors.askPeer(url + question.url, {
      method,
      headers,
      signal: AbortSignal.timeout(httpLimits.peerAnswerMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!isRefused(answer)) return { status: answer.status, body: await answer.json() }
  } catch (error) {
    throw unanswered(url, method, error)
  }
  throw refusedBy(url)
}

/** One page of what all workers have, the newest first. @throws {Unavailable} A partition runs nowhere now. */
export async function listEverywhere(
  own: InstancePage,
  limit: number,
  question: Question,
  worker: WorkerFace,
): Promise<InstancePage> {
  if (own.partitions.length === worker.partitionsInAll) return own
  const all = await pagesOfAll(own, question, worker)
  return merge(all, limit, [...new Set(all.flatMap((page) => page.partitions))])
}

/** This worker's page and those of the others. @throws {Unavailable} A partition runs nowhere now. */
export async function pagesOfAll<Page extends { readonly partitions: readonly number[] }>(
  own: Page,
  question: Question,
  worker: WorkerFace,
): Promise<readonly Page[]> {
  const pages = (await askPeers(question, worker.fleet)).map(({ body, headers }): Page => {
    const said = headers.get(partitionsHeader) ?? ''
    return { ...(body as Page), partitions: said === '' ? [] : said.split(',').map(Number) }
  })
  const all = [own, ...pages]
  const partitions = new Set(all.flatMap((page) => page.partitions))
  for (let partition = 0; partition < worker.partitionsInAll; partition++) {
    if (!partitions.has(partition))
      throw new Unavailable('not-ready', `partition ${partition} does not run in any worker that answers now`)
  }
  return all
}

/**
 * What the others that run something answer to the same question, from that; who does not answer is left out.
 * @throws {HttpProblem} peer-refused
 */
export async function askPeers(
  question: Question,
  fleet: FleetFace,
  isAsked: (peer: WorkerRecord) => boolean = ({ owned }) => owned.length > 0,
): Promise<readonly { readonly url: string; readonly body: unknown; readonly headers: Headers }[]> {
  const peers = fleet.peers().filter(isAsked)
  const answers = await Promise.all(
    peers.map(async ({ url }) => {
      try {
        const answer = await question.server.doors.askPeer(`${url}${question.url}`, {
          headers: passedOnHeaders(question, url),
          signal: AbortSignal.timeout(httpLimits.peerAnswerMs),
        })
        if (isRefused(answer)) throw refusedBy(url)
        return answer.ok ? [{ url, body: await answer.json(), headers: answer.headers }] : []
      } catch (error) {
        if (error instanceof HttpProblem) throw error
        return []
      }
    }),
  )
  return answers.flat()
}

/** What another worker tells of the same, as it comes. @throws It does not answer. */
export async function openOfPeer(url: string, question: Question, signal: AbortSignal): Promise<ReadableStream> {
  const { ok, body } = await question.server.doors.askPeer(url + question.url, {
    headers: passedOnHeaders(question, url),
    signal,
  })
  if (!ok || body === null) throw new HttpProblem('not-ready', `The worker at ${url} does not answer.`)
  return body
}

/** Ids sort by time. A page that goes on was looked through down to its `next` only: what lies below is not known yet. */
function merge(pages: readonly InstancePage[], limit: number, partitions: readonly number[]): InstancePage {
  const newestFirst = (a: string, b: string): number => (a < b ? 1 : a > b ? -1 : 0)
  const [floor] = pages.flatMap(({ next }) => (next === undefined ? [] : [next])).toSorted(newestFirst)
  const known = new Map<string, InstanceSummary>()
  for (const { items } of pages) for (const item of items) known.set(item.id, item)
  const sorted = [...known.values()]
    .filter(({ id }) => floor === undefined || id >= floor)
    .toSorted((a, b) => newestFirst(a.id, b.id))
  const items = sorted.slice(0, limit)
  const next = sorted.length > limit ? items.at(-1)?.id : floor
  return { items, partitions, ...(next === undefined ? {} : { next }) }
}
