// Calls that start an instance: each waits, in memory, for the commit of the batch that decided it.
import { limits } from '../base/limits.ts'
import { partitionOfText } from '../base/partitioner.ts'
import type { StartAnswer as EngineAnswer } from '../engine/effect.ts'
import { Payload } from '../engine/payload.ts'
import type { Definitions } from './definitions.ts'
import { Unavailable, type StartAnswer, type StartRequest } from './face.ts'
import type { PartitionHost } from './host.ts'
import type { Ids } from './ports.ts'

interface Call {
  readonly resolve: (answer: EngineAnswer) => void
  readonly reject: (error: Unavailable) => void
}

export class StartCalls {
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
    const host = this.#hosts[partitionOfText(key, this.#hosts.length)]
    if (host === undefined || host.role !== 'owner' || host.phase === 'stopped') {
      throw new Unavailable('not-ready', 'the partition of this key does not run in this worker now')
    }
    if (this.#calls.size >= limits.apiCallsWaitingMax) {
      throw new Unavailable('overloaded', 'too many calls are waiting to be decided')
    }
    const call = this.#callsSoFar++
    return new Promise<EngineAnswer>((resolve, reject) => {
      this.#calls.set(call, { resolve, reject })
      host.submit({
        command: {
          type: 'instance.start',
          workflow: workflow.name,
          version: workflow.version,
          key,
          origin: { kind: 'api', input: Payload.of(request.input), idempotencyKey: request.idempotencyKey, call },
        },
        onLost: (reason) => this.#lost(call, reason),
      })
    })
  }

  /** The answer of a call whose batch is committed. */
  answer(call: number, answer: EngineAnswer): void {
    this.#calls.get(call)?.resolve(answer)
    this.#calls.delete(call)
  }

  #lost(call: number, reason: 'not-ready' | 'outcome-unknown'): void {
    const message =
      reason === 'not-ready'
        ? 'the partition of this key does not run now; nothing was started'
        : 'it is not known whether the instance was started; repeat with the same Idempotency-Key to find out'
    this.#calls.get(call)?.reject(new Unavailable(reason, message))
    this.#calls.delete(call)
  }
}
