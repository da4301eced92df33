import type { SourceTopic } from './sources.ts'

/**
 * Looks for the topics that are to be read, and keeps what was found for the loop: what the store fails with when they are
 * taken up ends the incarnation, and not whoever asked for the look.
 */
export class SourceLook {
  readonly #find: () => Promise<readonly SourceTopic[]>
  #found: readonly SourceTopic[] | undefined
  #asked = 0
  /** The latest question that was answered. */
  #answered = 0

  constructor(find: () => Promise<readonly SourceTopic[]>) {
    this.#find = find
  }

  async look(): Promise<void> {
    const asked = ++this.#asked
    const topics = await this.#find()
    // An answer may be overtaken by that to a later question, which knows more.
    if (asked < this.#answered) return
    this.#answered = asked
    this.#found = topics
  }

  /** What was found since it was taken last. */
  take(): readonly SourceTopic[] | undefined {
    const found = this.#found
    this.#found = undefined
    return found
  }
}
