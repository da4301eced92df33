import type { Clock } from './ports.ts'

/** A bell that can be rung before anybody waits: the ring is kept until it is heard. */
export class Bell {
  #isRung = false
  #resolve: (() => void) | undefined

  ring(): void {
    this.#isRung = true
    this.#resolve?.()
  }

  async heard(): Promise<void> {
    if (!this.#isRung) await new Promise<void>((resolve) => (this.#resolve = resolve))
    this.#resolve = undefined
    this.#isRung = false
  }

  /** Heard by itself after `waitMs`; undefined: only when it is rung. */
  async heardWithin(waitMs: number | undefined, clock: Clock): Promise<void> {
    const cancel = waitMs === undefined ? () => {} : clock.after(waitMs, () => this.ring())
    await this.heard()
    cancel()
  }
}
