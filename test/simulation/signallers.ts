// People who signal to instances through the API of some worker: they look one up by its key, as they know no ids, at one
// worker after the other until it is found. Whether a signal arrived that was not answered they do not know, and they leave
// it at that.
import { Unavailable, type ActionAnswer, type InstancesFace } from '../../src/runtime/face.ts'
import type { Act, SignalAct } from './plan.ts'
import { signalNames } from './programs/draft.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

/** A signal that was sent. */
export interface Sent {
  readonly instanceId: string
  readonly name: string
  readonly payload: string
  /** undefined: there was none. */
  answer: ActionAnswer | undefined
}

type Asked = { readonly instances: Pick<InstancesFace, 'findByKey' | 'operate'> }

const triesMax = 30

export class Signallers {
  readonly sent: Sent[] = []
  /** What a worker threw and its face does not tell of. */
  readonly failures: string[] = []
  readonly #world: World
  readonly #running: () => ReadonlyMap<string, Asked>

  /** `running` gives the workers that run now, by machine. */
  constructor(world: World, acts: readonly Act[], running: () => ReadonlyMap<string, Asked>) {
    this.#world = world
    this.#running = running
    for (const act of acts) if (act.kind === 'signal') this.#later(act.atMs, () => this.#try(act, 1))
  }

  #try(act: SignalAct, times: number): void {
    const { scheduler } = this.#world
    const random = scheduler.random.stream(`signal ${act.payload} ${act.atMs} ${times}`)
    const running = this.#running()
    const name = running.size === 0 ? undefined : random.pick([...running.keys()].sort())
    const again = (): void => {
      if (times < triesMax) this.#later(200 + random.int(800), () => this.#try(act, times + 1))
    }
    if (name === undefined) return again()
    const send = (): void =>
      void this.#signal(running.get(name)!, act, random).then((isSent) => {
        if (!isSent) again()
      })
    scheduler.enqueue(
      `${name} is asked to signal to ${JSON.stringify(act.key.slice(0, 40))}`,
      send,
      this.#world.expectNode(name).process,
    )
  }

  /** False: not now; its instance is not to be found here, or nothing in it waits for anybody. */
  async #signal(worker: Asked, { key, payload, workflow }: SignalAct, random: Random): Promise<boolean> {
    let sent: Sent | undefined
    try {
      const view = await worker.instances.findByKey(workflow, key)
      if (view === undefined) return false
      const tasks = view.tasks.filter(({ type, endedAt }) => type === 'signal' && endedAt === undefined)
      const waiting = tasks.filter(({ status }) => status === 'EXECUTING').map((task) => lastPart(task.name))
      // Mostly somebody waits for it, or will.
      if (waiting.length === 0 && random.chance(0.98)) return false
      const name = random.pick([...waiting, ...signalNames])
      sent = { instanceId: view.id, name, payload, answer: undefined }
      this.sent.push(sent)
      sent.answer = await worker.instances.operate(view.id, { kind: 'signal', name, payload }, 'a customer')
      return true
    } catch (error) {
      if (!(error instanceof Unavailable)) this.failures.push(String(error))
      return sent !== undefined
    }
  }

  #later(delayMs: number, run: () => void): void {
    const { scheduler } = this.#world
    scheduler.clock.after(delayMs, () => scheduler.enqueue('people', run))
  }
}

/** "each[3].signal7" waits for the signal of its task's name. */
const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1)
