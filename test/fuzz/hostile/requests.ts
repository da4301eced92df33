// Requests that are too much of something, or that end before they should.
import { port, requestBytes as write } from '../raw-http.ts'
import { nestedJson } from './values.ts'

const headers = [
  ['host', `127.0.0.1:${port}`],
  ['content-type', 'application/json'],
] as const

export const hostileRequests: readonly Uint8Array[] = [
  write({ method: 'POST', path: '/instances', headers, body: Buffer.alloc(2 * 1_048_576 + 1, '[') }),
  write({ method: 'POST', path: '/instances', headers, body: Buffer.from(nestedJson(900_000)) }),
  write({ method: 'POST', path: '/topics/starts', headers, body: Buffer.from(nestedJson(100)) }),
  write({
    method: 'POST',
    path: '/topics/starts',
    headers,
    body: Buffer.from(JSON.stringify({ records: Array.from({ length: 10_001 }, () => ({ value: 1 })) })),
  }),
  write({
    method: 'POST',
    path: '/instances',
    headers,
    body: Buffer.from(JSON.stringify({ workflow: 'taker', input: 'x'.repeat(900_000) })),
  }),
  write({
    method: 'POST',
    path: '/instances',
    headers,
    body: Buffer.from(
      `{"workflow": "taker", "input": {${Array.from({ length: 30_000 }, (_, index) => `"k${index}": 1`).join(',')}}}`,
    ),
  }),
  write({ method: 'GET', path: `/${'a/'.repeat(4_000)}`, headers }),
  write({ method: 'GET', path: `/instances?${'limit=1&'.repeat(1_500)}`, headers }),
  write({
    method: 'GET',
    path: '/instances',
    headers: Array.from({ length: 1_000 }, (_, index) => [`h${index}`, 'x'] as const),
  }),
  Buffer.from('GET / HTTP/9.9\r\n\r\n'),
  Buffer.from('\0'.repeat(1_000)),
  Buffer.from('GET /health HTTP/1.1\r\n'),
  Buffer.from(
    `POST /instances HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{}`,
  ),
  Buffer.from(
    `POST /instances HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  ),
]
