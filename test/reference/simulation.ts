// The world of the reference: tasks in scopes, a time, a heap of what is due, and a queue of what follows at once.
import { fill, type Script, type TaskDoc, type Value, type Values, type WorkflowDoc } from './language.ts'

export type Status = 'NOT_STARTED' | 'SUBMITTED' | 'EXECUTING' | 'COMPLETED' | 'FAILED' | 'SKIPPED' | 'STOPPED'

export interface Failure {
  readonly code: string
  readonly task: string
}

/** A list of tasks that run by their dependencies. */
export interface Scope {
  /** The process, branch or item; none for the root. */
  readonly owner: Node | undefined
  readonly nodes: Node[]
}

/** A task; a branch of a `parallel`; an item of a `for-each`. */
export interface Node {
  readonly doc: TaskDoc
  /** Its name, with its item: "each[0].h". */
  readonly path: string
  readonly scope: Scope | undefined
  /** Of a branch or item: what it belongs to. */
  readonly whole: Node | undefined
  readonly item: { readonly item: Value; readonly index: number } | undefined
  /** Of a compensation: what it undoes. */
  readonly undo: { readonly of: Node; readonly output: Value } | undefined
  status: Status
  hasIncident: boolean
  attempt: number
  /** Goes up whenever what was under way is not any more. */
  epoch: number
  edges: 'live' | 'dead' | ReadonlySet<string>
  /** None of what did not complete, or gives none. */
  output: Value | undefined
  inner: Scope | undefined
  children: Node[]
  failure: Failure | undefined
  /** It stands beside the tasks of its scope, which waits for it, and is no less skipped for it. */
  isMonitor: boolean
  /** An attempt ended, and nobody knows what it did. */
  isUnclear: boolean
  /** Its maxDuration has not passed yet. */
  isBounded: boolean
  /** Of an interval: when its last run began. */
  runBeganAt: number
}

/** What follows. */
export type Step =
  | { readonly type: 'activate'; readonly node: Node }
  | { readonly type: 'attempt'; readonly node: Node }
  | { readonly type: 'settled'; readonly node: Node }
  | { readonly type: 'incident'; readonly node: Node }
  | { readonly type: 'scope-failed'; readonly scope: Scope; readonly failure: Failure }
  | { readonly type: 'end'; readonly status: 'FAILED' | 'STOPPED'; readonly code: string }
  | { readonly type: 'call'; readonly call: () => void }

/** Rules that an interpreter can get wrong, to see that the comparison notices. */
export const flips = [
  'dead paths are live',
  'what was skipped for itself leaves dead edges',
  'a skipped decision chooses nothing',
  'edges to what a failure may choose are live without one',
  'a process in which nothing ran is completed',
  'nothing is tried again',
  'the first to end does not decide by failing',
  'what is not needed any more runs on',
  'all items run at once',
  'a failed item is never tolerated',
  'what was done is undone in the order of completion',
  'unknown outcomes are not undone',
  'a stopped instance is unwound',
  'what comes early is lost',
  'a task past its maxDuration goes on',
  'nobody is told of what takes too long',
  'a task that a person retries has no attempts left',
] as const
export type Flip = (typeof flips)[number]

/** What is to be undone: a task that has done its work, or may have. */
export interface Undo {
  readonly node: Node
  readonly output: Value | undefined
}

export class Simulation {
  readonly doc: WorkflowDoc
  readonly input: Value
  readonly script: Script
  readonly wrong: Flip | undefined
  now = 0
  status = 'EXECUTING'
  code: string | undefined
  output: Value = null
  readonly vars: Values
  readonly produced: Value[] = []
  readonly steps: Step[] = []
  readonly due: { readonly at: number; readonly step: Step; readonly node: Node | undefined; epoch: number }[] = []
  /** Who waits for a record or a signal, the longest-waiting first, and what came for nobody yet. */
  readonly waiting: { readonly node: Node; readonly epoch: number }[] = []
  readonly kept: { readonly name: string; readonly value: Value }[] = []
  /** Children that begin their work. */
  readonly children: {
    readonly node: Node
    readonly epoch: number
    readonly end: (output: Value, code: string | undefined) => void
  }[] = []
  /** Handlers that wait for a slot. */
  readonly requests: { readonly node: Node; readonly epoch: number }[] = []
  readonly root: Scope
  readonly completed: Undo[] = []
  readonly unknown: Undo[] = []
  readonly compensations: Node[] = []
  undoing: Node | undefined
  /** Items of attempts before. */
  readonly past: Node[] = []
  /** How often each handler task was run. */
  readonly runs = new Map<string, number>()
  readonly incidents = new Map<string, number>()

  constructor(doc: WorkflowDoc, input: Value, script: Script, wrong?: Flip) {
    this.doc = doc
    this.input = input
    this.script = script
    this.wrong = wrong
    this.vars = { ...doc.vars }
    this.root = makeScope(undefined, doc.tasks, '')
  }

  push(step: Step): void {
    this.steps.push(step)
  }

  /** Later, unless what is under way of the node is over by then. */
  after(ms: number, node: Node | undefined, step: Step): void {
    this.due.push({ at: this.now + ms, step, node, epoch: node?.epoch ?? 0 })
  }

  /** The task begins anew, and so does what is inside. */
  forget(node: Node): void {
    for (const each of [...(node.inner?.nodes ?? []), ...node.children]) {
      if (each.doc.type === 'item') this.past.push(each)
      else this.forget(each)
    }
    node.inner = undefined
    node.children = []
  }

  /** What expressions of a node see. */
  roots(node: Node, more: Values = {}): Values {
    const tasks: Values = {}
    for (let scope = scopeAround(node); scope !== undefined; scope = scope.owner && scopeAround(scope.owner)) {
      for (const each of scope.nodes) {
        const { status, output = null } = each
        tasks[each.doc.name] ??= status === 'COMPLETED' ? { status, output } : { status }
      }
    }
    const item = itemOf(node)
    if (node.undo !== undefined) return { ...this.roots(node.undo.of), output: node.undo.output }
    return { input: this.input, vars: this.vars, tasks, instance: { key: 'k' }, ...item, ...more }
  }

  /** `set`, on the state as it is now. */
  write(values: Values | undefined, node: Node, more: Values): void {
    const filled = Object.entries(values ?? {}).map(
      ([name, value]) => [name, fill(value, this.roots(node, more))] as const,
    )
    for (const [name, value] of filled) this.vars[name] = value
  }
}

const scopeAround = (node: Node): Scope | undefined => node.scope ?? node.whole?.scope

function itemOf(node: Node): { item?: Value; index?: number } {
  let at: Node | undefined = node
  while (at !== undefined) {
    if (at.item !== undefined) return at.item
    at = at.whole ?? at.scope?.owner
  }
  return {}
}

export function makeScope(owner: Node | undefined, docs: readonly TaskDoc[], prefix: string): Scope {
  const scope: Scope = { owner, nodes: [] }
  let above: string | undefined
  for (const doc of docs) {
    const dependsOn = doc.dependsOn ?? (above === undefined ? [] : [above])
    scope.nodes.push(makeNode({ ...doc, dependsOn }, prefix + doc.name, { scope }))
    above = doc.name
  }
  return scope
}

export function makeNode(
  doc: TaskDoc,
  path: string,
  more: Partial<Pick<Node, 'scope' | 'whole' | 'item' | 'undo'>>,
): Node {
  return {
    doc,
    path,
    scope: more.scope,
    whole: more.whole,
    item: more.item,
    undo: more.undo,
    status: 'NOT_STARTED',
    hasIncident: false,
    attempt: 0,
    epoch: 0,
    edges: 'live',
    output: undefined,
    inner: undefined,
    children: [],
    failure: undefined,
    isMonitor: false,
    isUnclear: false,
    isBounded: false,
    runBeganAt: 0,
  }
}

/** What names of tasks of the same scope begin with. */
export const prefixOf = (node: Node): string => node.path.slice(0, node.path.length - node.doc.name.length)

/** It lets what comes after it go on. */
export const isSettled = (node: Node): boolean =>
  !node.hasIncident && ['COMPLETED', 'SKIPPED', 'STOPPED', 'FAILED'].includes(node.status)

/** Something of it is under way, or waits for a person. */
export const isOpen = (node: Node): boolean =>
  node.hasIncident || node.status === 'SUBMITTED' || node.status === 'EXECUTING'

/** Tasks are begun in it. */
export const isEntered = (scope: Scope): boolean => scope.owner === undefined || scope.owner.status === 'EXECUTING'
