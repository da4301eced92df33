import type { Problem } from '../base/errors.ts'
import { pathText } from './cursor.ts'
import type { Path } from './cursor.ts'
import type { ProblemOptions, SourceDocument } from './source.ts'

/** Collects what is wrong with one document, each problem once for its code and place. */
export class Report {
  readonly #document: Pick<SourceDocument, 'problem'>
  readonly #problems = new Map<string, Problem>()

  constructor(document: Pick<SourceDocument, 'problem'>) {
    this.#document = document
  }

  add(code: string, path: Path, message: string, options: ProblemOptions = {}): void {
    const problem = this.#document.problem(code, path, message, options)
    const identity = `${code} ${pathText(path)} ${options.offset ?? ''}`
    if (!this.#problems.has(identity)) this.#problems.set(identity, problem)
  }

  /** " at orders.yaml:12", for a sentence that names another place; empty where places are not known. */
  placeOf(path: Path): string {
    const { place } = this.#document.problem('', path, '')
    return place === undefined ? '' : ` at ${place.file}:${place.line}`
  }

  /** In the order of the text. */
  get problems(): readonly Problem[] {
    return [...this.#problems.values()].sort(
      (a, b) => (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0),
    )
  }
}
