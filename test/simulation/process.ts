// A simulated operating system process: it runs, is paused (SIGSTOP: a zombie in the making), or is dead for good.
// A restart is another process under the same name.
//
//   running ⇄ paused        running, paused ──crash──► dead

export class SimulatedProcess {
  readonly name: string
  #state: 'running' | 'paused' | 'dead' = 'running'
  readonly #onCrash: (() => void)[] = []

  constructor(name: string) {
    this.name = name
  }

  isAlive(): boolean {
    return this.#state !== 'dead'
  }

  isPaused(): boolean {
    return this.#state === 'paused'
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused'
  }

  resume(): void {
    if (this.#state === 'paused') this.#state = 'running'
  }

  /** kill -9: nothing of it runs again. */
  crash(): void {
    if (this.#state === 'dead') return
    this.#state = 'dead'
    for (const callback of this.#onCrash) callback()
  }

  /** Calls back when it dies: locks are released, others notice. */
  onCrash(callback: () => void): void {
    this.#onCrash.push(callback)
  }
}
