import type { ActionRefusalCode } from '../effect.ts'

/** A person asked for what cannot be done. Thrown inside decisions only. */
export class Refused extends Error {
  readonly code: ActionRefusalCode
  constructor(code: ActionRefusalCode, message: string) {
    super(message)
    this.code = code
  }
}
