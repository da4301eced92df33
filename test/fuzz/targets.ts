// The doors that are fuzzed, by name.
import { bodies } from './bodies.ts'
import { fuzz } from './campaign.ts'
import type { FuzzOptions, FuzzResult } from './campaign.ts'
import { codecTarget } from './codecs.ts'
import { definitions } from './definitions.ts'
import { expressions } from './expressions.ts'
import { recordTarget } from './records.ts'

export const targets: { readonly [name: string]: (options: FuzzOptions) => Promise<FuzzResult> } = {
  definitions: (options) => fuzz(definitions, options),
  codecs: (options) => fuzz(codecTarget, options),
  expressions: (options) => fuzz(expressions, options),
  records: (options) => fuzz(recordTarget, options),
  bodies: (options) => fuzz(bodies, options),
}
