// What could not be read as a request at all: there is no route and no reply object, only the socket.
import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { httpLimits } from './limits.ts'
import { documentOf, headersOf, HttpProblem, problems } from './problem.ts'

/** The problem behind the code of an error of Node's HTTP parser. */
export function unreadable(code: string | undefined): HttpProblem {
  switch (code ?? '') {
    case 'HPE_HEADER_OVERFLOW':
      return new HttpProblem('headers-too-large', 'The head of a request may have 16 KiB.')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpProblem('request-timeout', `A request has ${httpLimits.requestArrivalMs} ms to arrive as a whole.`)
    default:
      return new HttpProblem('request-malformed', 'What was sent could not be read as an HTTP/1.1 request.')
  }
}

/** Answers with a problem document where the other side still listens, and hangs up. */
export function refuseSocket(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const problem = unreadable(error.code)
  const { status } = problems[problem.code]
  const body = JSON.stringify(documentOf(problem, randomUUID()))
  const headers = { ...headersOf(problem), 'content-length': String(Buffer.byteLength(body)), connection: 'close' }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`)
}
