// Instances of all workers, for what works by itself and answers no request: listed, looked at and acted on where they run.
import type {
  Action,
  ActionAnswer,
  InstanceFilter,
  InstancePage,
  InstanceView,
  TimelineEntry,
  WorkerFace,
} from '../runtime/face.ts'
import { askPeer, listEverywhere, urlOfOwner, type Asker } from './fleet.ts'
import { whoOf } from './guard.ts'
import { problems, type ProblemCode, HttpProblem } from './problem.ts'

/** One page of what all workers have. @throws {Unavailable} A partition runs nowhere now. */
export async function listAll(filter: InstanceFilter, asker: Asker, worker: WorkerFace): Promise<InstancePage> {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(filter))
    for (const each of [value].flat()) query.append(name, String(each))
  const own = await worker.instances.list(filter)
  return listEverywhere(own, filter.limit, { ...asker, url: `/instances?${query.toString()}` }, worker)
}

/** The timeline of an instance; empty where it is not kept any more. @throws {Unavailable} @throws {HttpProblem} */
export async function historyOf(id: string, asker: Asker, worker: WorkerFace): Promise<readonly TimelineEntry[]> {
  try {
    return (await worker.instances.find(id))?.timeline ?? []
  } catch (error) {
    const answer = await askPeer(ownerOf(error, worker), { ...asker, url: `/instances/${encodeURIComponent(id)}` })
    if (answer.status === 404) return []
    return (bodyOf(answer) as InstanceView).timeline
  }
}

/**
 * Acts on an instance where it runs.
 * @param members what the address of the action takes, beside `by`
 * @param by what is told of it beside who asks
 * @throws {Unavailable} @throws {HttpProblem}
 */
export async function actOn(
  id: string,
  action: Action,
  members: { readonly [name: string]: unknown },
  by: string,
  asker: Asker,
  worker: WorkerFace,
): Promise<ActionAnswer> {
  try {
    return await worker.instances.operate(id, action, whoOf(asker, by) ?? by)
  } catch (error) {
    const url = `/instances/${encodeURIComponent(id)}/${action.kind}`
    const answer = await askPeer(ownerOf(error, worker), { ...asker, url }, { ...members, by })
    if (answer.status === 200 || answer.status >= 500) return bodyOf(answer) as ActionAnswer
    const { code, detail } = problemIn(answer.body)
    return { outcome: 'refused', code: code as Extract<ActionAnswer, { outcome: 'refused' }>['code'], message: detail }
  }
}

/** Where it is asked what failed here with this error, which is thrown on where nowhere. */
function ownerOf(error: unknown, { fleet }: WorkerFace): string {
  const url = urlOfOwner(error, fleet)
  if (url === undefined) throw error
  return url
}

function bodyOf({ status, body }: { readonly status: number; readonly body: unknown }): unknown {
  if (status === 200) return body
  const { code, detail } = problemIn(body)
  throw new HttpProblem(code, detail)
}

function problemIn(body: unknown): { readonly code: ProblemCode; readonly detail: string } {
  const { code, detail }: { code?: unknown; detail?: unknown } = Object(body)
  const known = (Object.keys(problems) as ProblemCode[]).find((each) => each === code)
  return {
    code: known ?? 'internal',
    detail: typeof detail === 'string' ? detail : 'another worker answered something else',
  }
}
