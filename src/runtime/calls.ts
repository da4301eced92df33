// Calls that start an instance or act on one: each waits, in memory, for the commit of the batch that decided it.
import { assert } from '../base/assert.ts'
import { limits } from '../base/limits.ts'
import { partitionOfText } from '../base/partitioner.ts'
import type { Action as EngineAction, Command } from '../engine/command.ts'
import { partitionOfInstance } from '../engine/deciders/instance.ts'
import type { CallAnswer } from '../engine/effect.ts'
import { Payload } from '../engine/payload.ts'
import type { Definitions } from './definitions.ts'
import { Unavailable, type Action, type ActionAnswer, type StartAnswer, type StartRequest } from './face.ts'
import type { PartitionHost } from './host.ts'
import type { Ids } from './ports.ts'

interface Call {
  readonly resolve: (answer: CallAnswer) => void
  readonly reject: (error: Unavailable) => void
}

export class Calls {
  readonly #hosts: readonly PartitionHost[]
  readonly #definitions: Definitions
  readonly #ids: Ids
  readonly #calls = new Map<number, Call>()
  #callsSoFar = 0

  constructor(hosts: readonly PartitionHost[], definitions: Definitions, ids: Ids) {
    this.#hosts = hosts
    this.#definitions = definitions
    this.#ids = ids
  }

  /** Resolves when the start is committed. @throws {Unavailable} */
  async start(request: StartRequest): Promise<StartAnswer> {
    const workflow = this.#definitions.catalogue.current(request.workflow)
    if (workflow === undefined) {
      return { outcome: 'rejected', code: 'workflow-not-found', message: `there is no workflow '${request.workflow}'` }
    }
    const key = request.key ?? request.idempotencyKey ?? this.#ids.next()
    if (key === '' || key.length > limits.keyLengthMax || !key.isWellFormed()) {
      const message = `key: expected 1 to ${limits.keyLengthMax} characters of well-formed text, found ${key.length}`
      return { outcome: 'rejected', code: 'key-invalid', message }
    }
    const { idempotencyKey } = request
    const by = request.by === undefined ? undefined : `by ${request.by}`
    const answer = await this.#decide(partitionOfText(key, this.#hosts.length), (call) => ({
      type: 'instance.start',
      workflow: workflow.name,
      version: workflow.version,
      key,
      trace: request.trace,
      origin: { kind: 'api', input: Payload.of(request.input), idempotencyKey, by, call },
    }))
    assert(answer.outcome !== 'done' && answer.outcome !== 'refused', 'A1: a start is answered as a start')
    return answer
  }

  /** Resolves when what was done is committed. @throws {Unavailable} */
  async operate(instanceId: string, action: Action, by: string): Promise<ActionAnswer> {
    const partition = partitionOfInstance(instanceId)
    if (partition === undefined || partition >= this.#hosts.length) {
      const message = `there is no instance ${instanceId}, or it is not kept any more`
      return { outcome: 'refused', code: 'instance-not-found', message }
    }
    const answer = await this.#decide(partition, (call) => ({
      type: 'instance.operate',
      instanceId,
      call,
      by: `by ${by}`,
      action: actionOf(action),
    }))
    assert(answer.outcome === 'done' || answer.outcome === 'refused', 'A1: an action is answered as an action')
    return answer
  }

  /** @throws {Unavailable} */
  #decide(partition: number, commandOf: (call: number) => Command): Promise<CallAnswer> {
    const host = this.#hosts[partition]
    if (host === undefined || host.role !== 'owner' || host.phase === 'stopped') {
      const message = 'the partition of this instance does not run in this worker now'
      throw new Unavailable('not-ready', message, partition)
    }
    if (this.#calls.size >= limits.apiCallsWaitingMax) {
      throw new Unavailable('overloaded', 'too many calls are waiting to be decided')
    }
    const call = this.#callsSoFar++
    return new Promise<CallAnswer>((resolve, reject) => {
      this.#calls.set(call, { resolve, reject })
      host.submit({ command: commandOf(call), onLost: (reason) => this.#lost(call, reason) })
    })
  }

  /** The answer of a call whose batch is committed. */
  answer(call: number, answer: CallAnswer): void {
    this.#calls.get(call)?.resolve(answer)
    this.#calls.delete(call)
  }

  #lost(call: number, reason: 'not-ready' | 'outcome-unknown'): void {
    const message =
      reason === 'not-ready'
        ? 'the partition of this instance does not run now; nothing was done'
        : 'it is not known whether it was done; look at the instance, or repeat a start with the same Idempotency-Key'
    this.#calls.get(call)?.reject(new Unavailable(reason, message))
    this.#calls.delete(call)
  }
}

/** As the engine has it: payloads as payloads. */
function actionOf(action: Action): EngineAction {
  switch (action.kind) {
    case 'signal':
      return { kind: 'signal', name: action.name, payload: Payload.of(action.payload) }
    case 'retry': {
      const input = action.input === undefined ? undefined : Payload.of(action.input)
      return { kind: 'retry', task: action.task, input }
    }
    case 'skip':
      return { kind: 'skip', task: action.task }
    case 'complete':
      return { kind: 'complete', task: action.task, output: Payload.of(action.output) }
    case 'set':
      return { kind: 'set', values: Object.entries(action.vars) }
    case 'suspend':
    case 'resume':
    case 'stop':
    case 'fail':
      return action
  }
}
