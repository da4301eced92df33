// Parents and children (src/engine/deciders/child.ts): a child is of a task that began, a parent has what its child gave, and
// nobody goes on for a parent that does not wait any more.
import { isDeepStrictEqual } from 'node:util'
import type { InstanceRow, TimelineRow } from '../../../src/engine/state.ts'
import type { Life } from '../committed.ts'
import { type Evidence, hasEnded, nameOf } from './finished.ts'
import { lastMomentOf, lastMomentsOf } from './nodes.ts'

/** I1: a child was asked for by an attempt of a task of its parent, and each of them has one. */
export function* childrenAreAskedFor(run: Evidence): Generator<string> {
  const parents = new Map(run.instances.map((life) => [life.id, life]))
  const asked = new Map<string, Life<InstanceRow>[]>()
  for (const life of run.instances) {
    const { parent } = life.last
    if (parent === undefined) continue
    const id = JSON.stringify(parent)
    asked.set(id, [...(asked.get(id) ?? []), life])
  }
  for (const lives of asked.values()) {
    const { parent } = lives[0]!.last
    const life = parents.get(parent!.instanceId)
    const moment = life && lastMomentOf(run, life)
    const names = lives.map(({ last }) => nameOf(last)).join(' and ')
    if (moment === undefined) {
      yield `I1: ${names} is the child of ${parent!.instanceId}, which never was`
      continue
    }
    const isOfIt = ({ task, attempt, status }: TimelineRow): boolean =>
      task === parent!.task && attempt === parent!.attempt && status === 'EXECUTING'
    const times = moment.row.timeline.filter(isOfIt).length
    if (moment.row.timelineDropped === 0 && lives.length > times)
      yield `I1: ${names} are children of attempt ${parent!.attempt} of ${moment.name(parent!.task)} of ${nameOf(moment.row)}, which began ${times} times`
  }
}

/** Whether a child is still the one that its parent waits for. */
function isWaitedFor({ last }: Life<InstanceRow>, run: Evidence): boolean {
  const life = run.instances.find(({ id }) => id === last.parent?.instanceId)
  const moment = life?.isRemoved === false ? lastMomentOf(run, life) : undefined
  const task = last.parent && moment?.task(last.parent.task)
  if (last.parent === undefined || moment === undefined || task?.type !== 'workflow') return false
  const is = moment.is(last.parent.task)
  return is?.attempt === last.parent.attempt && is.open?.kind === 'child'
}

/** At rest, a child whose parent does not wait for it any more is stopped, or ends by itself. */
export function* childrenEndWithParents(run: Evidence): Generator<string> {
  for (const life of run.instances) {
    const { last, isRemoved } = life
    if (last.parent === undefined || isRemoved || hasEnded(last) || last.ending !== undefined) continue
    const parent = run.instances.find(({ id }) => id === last.parent?.instanceId)
    const task = parent && lastMomentOf(run, parent)?.task(last.parent.task)
    if (task?.type === 'workflow' && task.wait && !isWaitedFor(life, run))
      yield `C1: ${nameOf(last)} goes on, and its parent does not wait for it`
  }
}

/** At rest, whoever waits for a child waits for one that runs or is in line; and who has waited has what it gave. */
export function* parentsHearOfChildren(run: Evidence): Generator<string> {
  const children = new Map(run.instances.map((life) => [JSON.stringify(life.last.parent), life.last]))
  const running = new Set(
    run.instances.flatMap(({ last, isRemoved }) => (isRemoved || hasEnded(last) ? [] : [keyOf(last)])),
  )
  for (const moment of lastMomentsOf(run)) {
    const { row } = moment
    for (const { node, task, is } of moment.nodes) {
      if (task.type !== 'workflow' || is === undefined) continue
      const name = `${moment.name(node)} of ${nameOf(row)}`
      if (is.open?.kind === 'child' && !running.has(keyOf(is.open)))
        yield `C1: ${name} waits for a child that does not run`
      if (is.status !== 'COMPLETED' || !task.wait) continue
      const child = children.get(JSON.stringify({ instanceId: row.id, task: node, attempt: is.attempt }))
      if (child?.status !== 'COMPLETED')
        yield `C1: ${name} is COMPLETED, and its child is ${child?.status ?? 'not there'}`
      else if (!isDeepStrictEqual(child.output?.value ?? null, is.output?.value ?? null))
        yield `C1: ${name} has another output than ${nameOf(child)}`
    }
  }
}

const keyOf = ({ workflow, key }: { readonly workflow: string; readonly key: string }): string =>
  JSON.stringify([workflow, key])
