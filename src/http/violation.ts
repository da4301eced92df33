// What a request's schema does not allow, in words: ajv's errors with the nearest name where a name is wrong.
import type { ErrorObject } from 'ajv'
import { nearest } from '../definition/nearest.ts'
import { httpLimits } from './limits.ts'

export interface Violation {
  /** The part of the request; absent: the input of the instance. */
  readonly in?: 'body' | 'query' | 'path' | 'header'
  /** JSON pointer into that part: "/limit"; "" is all of it. */
  readonly pointer: string
  readonly message: string
  readonly suggestion?: string
}

const partNames: { readonly [context: string]: NonNullable<Violation['in']> } = {
  body: 'body',
  querystring: 'query',
  params: 'path',
  headers: 'header',
}

/** ajv's errors (compiled with `verbose`) about one part of a request as Fastify names it; bounded in number. */
export function violationsOf(errors: readonly ErrorObject[], context: string): readonly Violation[] {
  const part = partNames[context] ?? 'body'
  return errors.slice(0, httpLimits.violationsMax).map((error) => ({
    in: part,
    ...violationOf(error, part),
  }))
}

function violationOf(error: ErrorObject, part: string): Violation {
  const { keyword, instancePath, params, parentSchema } = error
  switch (keyword) {
    case 'additionalProperties': {
      const name = String(params['additionalProperty'])
      const known = Object.keys(Object(parentSchema?.['properties']))
      const noun = part === 'query' ? 'parameter' : 'member'
      const takes = known.length === 0 ? 'there are none here' : `expected one of ${known.join(', ')}`
      return withSuggestion(`${instancePath}/${name}`, `unknown ${noun} "${name}", ${takes}`, nearest(name, known))
    }
    case 'required':
      return { pointer: `${instancePath}/${params['missingProperty']}`, message: 'is missing' }
    case 'enum': {
      const values: readonly unknown[] = params['allowedValues']
      const allowed = values.map(String)
      const message = `expected one of ${allowed.join(', ')}`
      return withSuggestion(instancePath, message, nearest(String(error.data), allowed))
    }
    case 'pattern':
      return { pointer: instancePath, message: `expected ${String(parentSchema?.['description'])}` }
    default:
      return { pointer: instancePath, message: error.message ?? keyword }
  }
}

function withSuggestion(pointer: string, message: string, suggestion: string | undefined): Violation {
  return suggestion === undefined ? { pointer, message } : { pointer, message, suggestion }
}
