// Errors as HTTP says them: problem documents (RFC 9457). This is the one file that knows HTTP statuses of errors.
//
// `problems` lists every code a caller can meet, with its status and title; `type` is urn:dagger-worker:problem:<code>.
// A code is stable and is what programs look at; `detail` is for people and may change.
// `problemOf` translates whatever was thrown. What it does not know becomes `internal`, which tells nothing but the
// request's id: the log has the rest.
import type { ErrorObject } from 'ajv'
import { OutcomeUnknown, TransientFault } from '../base/errors.ts'
import { Unavailable } from '../runtime/face.ts'
import type { ActionRefusalCode, RedriveRefusalCode, StartRejectionCode } from '../runtime/face.ts'
import { httpLimits } from './limits.ts'
import { violationsOf } from './violation.ts'
import type { Violation } from './violation.ts'

interface ProblemKind {
  readonly status: number
  readonly title: string
  /** Seconds after which trying again makes sense. */
  readonly retryAfterS?: number
}

export const problems = {
  'request-malformed': { status: 400, title: 'The request is not HTTP as it should be' },
  'url-invalid': { status: 400, title: 'The address is not a valid URL' },
  'body-incomplete': { status: 400, title: 'The body is not as long as its Content-Length says' },
  'json-invalid': { status: 400, title: 'The body is not JSON' },
  'json-too-deep': { status: 400, title: 'The JSON is nested too deeply' },
  'json-forbidden-key': { status: 400, title: 'The JSON has a key that is not accepted' },
  'request-invalid': { status: 400, title: 'The request is not as this address takes it' },
  unauthenticated: { status: 401, title: 'It is not known who asks' },
  forbidden: { status: 403, title: 'Who asks may not do this' },
  'host-not-allowed': { status: 403, title: 'This Host is not served' },
  'route-not-found': { status: 404, title: 'There is nothing at this address' },
  'topic-not-found': { status: 404, title: 'There is no such topic' },
  'partition-not-found': { status: 404, title: 'The topic has no such partition' },
  'dead-letter-not-found': { status: 404, title: 'There is no such dead letter' },
  'instance-not-found': { status: 404, title: 'There is no such instance' },
  'operation-not-found': { status: 404, title: 'There is no such operation' },
  'workflow-not-found': { status: 404, title: 'There is no such workflow' },
  'task-not-found': { status: 404, title: 'The instance has no such task' },
  'method-not-allowed': { status: 405, title: 'This address does not take this method' },
  'request-timeout': { status: 408, title: 'The request did not arrive in time' },
  'already-running': { status: 409, title: 'An instance with this key is running' },
  'already-closed': { status: 409, title: 'An instance with this key has ended' },
  'start-dropped': { status: 409, title: 'The start waited, and did not come to begin' },
  'not-now': { status: 409, title: 'The instance does not allow this now' },
  'operation-running': { status: 409, title: 'The operation is under way' },
  'task-unclear': { status: 409, title: 'Several tasks could be meant' },
  'signals-full': { status: 409, title: 'Too many signals wait already' },
  'not-kept': { status: 409, title: 'The record was too large to be kept' },
  'topic-reserved': { status: 409, title: 'The topic belongs to dagger-worker itself' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'payload-too-large': { status: 413, title: 'The input is too large' },
  'url-too-long': { status: 414, title: 'A part of the address is too long' },
  'media-type-unsupported': { status: 415, title: 'This content type is not accepted here' },
  'input-invalid': { status: 422, title: "The input does not fit the workflow's schema" },
  'input-not-taken': { status: 422, title: 'This task takes no input' },
  'key-invalid': { status: 422, title: 'The key cannot be used' },
  'redrive-refused': { status: 422, title: 'The topic does not take the record' },
  expression: { status: 422, title: 'An expression of the workflow failed on this input' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  internal: { status: 500, title: 'Something went wrong in the worker' },
  'peer-refused': { status: 502, title: 'Another worker does not know who asks' },
  'outcome-unknown': { status: 503, title: 'It is not known whether this was done', retryAfterS: 1 },
  'not-ready': { status: 503, title: 'Not ready yet', retryAfterS: 1 },
  overloaded: { status: 503, title: 'Too much is waiting already', retryAfterS: 2 },
  'disk-full': { status: 503, title: 'The disk is full', retryAfterS: 30 },
} as const satisfies { readonly [code: string]: ProblemKind } & {
  readonly [code in StartRejectionCode | ActionRefusalCode | RedriveRefusalCode | Unavailable['code']]: ProblemKind
}

export type ProblemCode = keyof typeof problems

/** What may stand in a problem beside the members of RFC 9457. */
export interface ProblemMembers {
  readonly violations?: readonly Violation[]
  /** The nearest valid name. */
  readonly suggestion?: string
  /** Where in the body, from 1. */
  readonly line?: number
  readonly column?: number
  /** The number that Confluent's REST Proxy gives this error. */
  readonly error_code?: number
}

export interface ProblemDocument extends ProblemMembers {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ProblemCode
  /** urn:dagger-worker:request:<id>, as in the log. */
  readonly instance: string
}

/** Thrown by routes and hooks: the caller acts. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem'
  readonly code: ProblemCode
  readonly members: ProblemMembers
  readonly headers: { readonly [name: string]: string }
  constructor(
    code: ProblemCode,
    detail: string,
    members: ProblemMembers = {},
    headers: { readonly [name: string]: string } = {},
  ) {
    super(detail)
    this.code = code
    this.members = members
    this.headers = headers
  }
}

/** Whatever was thrown, as a problem; `internal` for what is nobody's fault but ours. */
export function problemOf(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error
  if (error instanceof Unavailable) return new HttpProblem(error.code, error.message)
  // A disk that is full, a log that is being read anew: it is tried again by itself, and so may the caller.
  if (error instanceof TransientFault) return new HttpProblem('not-ready', error.message)
  if (error instanceof OutcomeUnknown) return new HttpProblem('outcome-unknown', error.message)
  const { code = '', statusCode, validation, validationContext = 'body' }: FrameworkError = Object(error)
  if (validation !== undefined) return invalidRequest(violationsOf(validation, validationContext))
  switch (code) {
    case 'FST_ERR_BAD_URL':
      return new HttpProblem('url-invalid', 'The path has a "%" that does not begin an encoded UTF-8 character.')
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new HttpProblem('url-too-long', `A part of the path is longer than ${httpLimits.pathPartMax} characters.`)
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new HttpProblem(
        'body-too-large',
        `A body may have ${httpLimits.bodyBytesMax} bytes: send the records in several calls.`,
      )
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_EMPTY_TYPE':
      return new HttpProblem('media-type-unsupported', 'Send JSON, with "Content-Type: application/json".')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return incompleteBody()
    default:
      // The client went away while it was sending; a reset elsewhere behind us has no status.
      if (code === 'ECONNRESET' && statusCode === 400) return incompleteBody()
      return new HttpProblem('internal', "The worker's log has the cause, under the id of this request.")
  }
}

/** The document that is sent for a problem. */
export function documentOf(problem: HttpProblem, requestId: string): ProblemDocument {
  const { status, title } = problems[problem.code]
  return {
    type: `urn:dagger-worker:problem:${problem.code}`,
    title,
    status,
    detail: problem.message,
    code: problem.code,
    instance: `urn:dagger-worker:request:${requestId}`,
    ...problem.members,
  }
}

/** Headers that go with the document. */
export function headersOf(problem: HttpProblem): { readonly [name: string]: string } {
  const kind: ProblemKind = problems[problem.code]
  const headers = { ...problem.headers, 'content-type': 'application/problem+json; charset=utf-8' }
  return kind.retryAfterS === undefined ? headers : { ...headers, 'retry-after': String(kind.retryAfterS) }
}

function incompleteBody(): HttpProblem {
  return new HttpProblem('body-incomplete', 'The body ended before, or went on after, its Content-Length.')
}

function invalidRequest(violations: readonly Violation[]): HttpProblem {
  const [first] = violations
  const suggestion = violations.find((violation) => violation.suggestion !== undefined)?.suggestion
  const where = `${first?.in ?? 'body'} ${first?.pointer ?? ''}`.trim()
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more: see violations)` : ''
  return new HttpProblem('request-invalid', `${where}: ${first?.message ?? 'not as expected'}${more}`, {
    violations,
    ...(suggestion === undefined ? {} : { suggestion }),
  })
}

interface FrameworkError {
  readonly code?: string
  readonly statusCode?: number
  readonly validation?: readonly ErrorObject[]
  readonly validationContext?: string
}
