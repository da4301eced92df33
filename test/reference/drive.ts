// The real engine under the same script: handlers end at their times, timers fire at theirs.
import assert from 'node:assert/strict'
import type { HandlerRun } from '../../src/engine/effect.ts'
import { nameOfNode, nodesOf, rowAt } from '../../src/engine/nodes.ts'
import { Payload } from '../../src/engine/payload.ts'
import { engineWorld, type EngineWorld } from '../support/engine.ts'
import type { Act, Outcome, Program, Run, Value } from './language.ts'

interface Due {
  readonly atMs: number
  readonly run?: HandlerRun
  readonly happen: () => void
}

export function drive({ doc, others, input, script }: Program): Outcome {
  const world = engineWorld([doc, ...others].map((each) => JSON.stringify(each)).join('\n---\n'), 1)
  world.checksInvariants = false
  const startMs = world.nowMs
  let due: Due[] = script.arrivals.map(({ atMs, kind, name, value }) => ({
    atMs: startMs + atMs,
    happen: () => {
      if (kind === 'record') world.record(name, value, { key: 'k' })
      else world.operate('k', { kind: 'signal', name, payload: Payload.of(value) })
    },
  }))
  const runs = new Map<string, number>()
  const incidents = new Map<string, number>()
  let seen = 0
  let heard = 0
  let aborted = 0
  world.start('w', 'k', input)
  const instanceId = world.instance('k').id
  for (let round = 0; ; round++) {
    assert.ok(round < 5_000, 'it comes to an end, or to nothing that is due')
    while (world.requests.length > 0) world.grantAll()
    // What a handler still returns that was stopped is dropped before it gets to the engine.
    for (const { instanceId, task } of world.aborts.slice(aborted))
      due = due.filter(({ run }) => run?.instanceId !== instanceId || run.task !== task)
    aborted = world.aborts.length
    for (const run of world.runs.slice(seen)) {
      const path = run.workflow === 'w' ? run.name : `${run.key.slice(run.key.indexOf('/') + 1)}/${run.name}`
      const nth = (runs.get(path) ?? 0) + 1
      runs.set(path, nth)
      const told = script.run(path, nth)
      due.push({ atMs: world.nowMs + told.ms, run, happen: () => tell(world, run, told) })
    }
    seen = world.runs.length
    for (const event of world.events.slice(heard)) {
      if (event.type !== 'task.failed' || !event.hasIncident || event.instanceId !== instanceId) continue
      const task = nameAt(world, event.task)
      const nth = (incidents.get(task) ?? 0) + 1
      incidents.set(task, nth)
      const act = script.act(task, nth)
      if (act === undefined) continue
      const happen = (): void => {
        if (incidents.get(task) === nth) operate(world, task, act)
      }
      due.push({ atMs: world.nowMs + act.ms, happen })
    }
    heard = world.events.length
    if (isOver(world)) break
    due.sort((a, b) => a.atMs - b.atMs)
    const nextMs = Math.min(due[0]?.atMs ?? Infinity, world.timers()[0]?.dueAtMs ?? Infinity)
    if (nextMs === Infinity) break
    world.advance(`${nextMs - world.nowMs}ms`)
    if (due[0] !== undefined && due[0].atMs <= world.nowMs) due.shift()?.happen()
  }
  return outcomeOf(world)
}

const isOver = (world: EngineWorld): boolean => ['COMPLETED', 'FAILED', 'STOPPED'].includes(world.status('k'))

function operate(world: EngineWorld, task: string, { kind, output }: Act): void {
  if (kind === 'complete') world.operate('k', { kind, task, output: Payload.of(output) })
  else if (kind === 'skip') world.operate('k', { kind, task })
  else world.operate('k', { kind, task, input: undefined })
}

function nameAt(world: EngineWorld, node: number): string {
  const instance = world.instance('k')
  const workflow = world.catalogue.find(instance.version)
  const rows = world.rows(0)
  const tables = { blocks: { find: (id: string) => rows.find('blocks', id) } }
  return workflow === undefined ? '' : nameOfNode(tables, instance, workflow, node)
}

function tell(world: EngineWorld, { instanceId, task, attempt }: HandlerRun, { output, code }: Run): void {
  const of = { instanceId, task, attempt }
  world.input(
    0,
    code === undefined
      ? { type: 'task.complete', ...of, output: Payload.of(output ?? null) }
      : { type: 'task.fail', ...of, error: { code, message: code }, isRetryable: true, afterMs: undefined },
  )
}

function outcomeOf(world: EngineWorld): Outcome {
  const instance = world.instance('k')
  return {
    status: instance.status,
    code: isOver(world) ? instance.error?.code : undefined,
    output: (instance.output?.value ?? null) as Value,
    vars: world.vars('k') as Outcome['vars'],
    tasks: statusesOf(world),
    produced: world.produced.map(({ topic, value }) => ({ topic, value: value as Value })),
  }
}

/** Every task with its status, those of items by their item: "each[0].h". */
function statusesOf(world: EngineWorld): Outcome['tasks'] {
  const instance = world.instance('k')
  const workflow = world.catalogue.find(instance.version)
  const rows = world.rows(0)
  const tables = { blocks: { find: (id: string) => rows.find('blocks', id) } }
  const statuses: Outcome['tasks'] = {}
  if (workflow === undefined) return statuses
  for (const node of nodesOf(tables, instance, workflow)) {
    const row = rowAt(tables, instance, node)
    if (row === undefined) continue
    const name = nameOfNode(tables, instance, workflow, node)
    if (statuses[name] !== 'INCIDENT') statuses[name] = row.hasIncident ? 'INCIDENT' : row.status
  }
  return statuses
}
