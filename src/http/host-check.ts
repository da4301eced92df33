// Under which names the API is asked. A page of elsewhere whose name was made to resolve to an address of ours (DNS
// rebinding) still sends its own name: only our names are served, and the address itself, which no name hides.
import { hostname } from 'node:os'
import type { Socket } from 'node:net'
import type { AllowedHost } from '../base/hosts.ts'
import { HttpProblem } from './problem.ts'

export interface HostCheckOptions {
  /** Without them a page must say localhost, 127.0.0.1 or [::1]. */
  readonly names?: readonly AllowedHost[]
  readonly advertisedUrl?: string | undefined
  /** Other machines reach it: by the machine's name, too. */
  readonly isOpen?: boolean
  readonly isSecure?: boolean
}

const form = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i

/** Throws where a request names another host. */
export function hostCheck({ names = [], advertisedUrl, isOpen = false, isSecure = false }: HostCheckOptions) {
  const usual = isSecure ? 443 : 80
  const own = new Set(['localhost', '127.0.0.1', '[::1]', ...(isOpen ? [hostname().toLowerCase()] : [])])
  const url = advertisedUrl === undefined ? undefined : new URL(advertisedUrl)
  const others = [...names, ...(url === undefined ? [] : [{ hostname: url.hostname, port: undefined }])]
  /** @throws {HttpProblem} host-not-allowed */
  return (host: string, socket: Pick<Socket, 'localPort' | 'localAddress'>): void => {
    const [, given = '', port] = form.exec(host) ?? []
    const name = given.toLowerCase()
    const isOurs = own.has(name) || (isOpen && name === addressIn(socket.localAddress ?? ''))
    if (isOurs && Number(port ?? usual) === socket.localPort) return
    if (
      others.some(
        (other) => other.hostname === name && (other.port === undefined || other.port === (port ?? String(usual))),
      )
    )
      return
    throw new HttpProblem(
      'host-not-allowed',
      `The Host header is "${host}": expected localhost, 127.0.0.1 or [::1], with the port of this worker, or a name of hostNames.`,
    )
  }
}

/** As a Host header has it. */
function addressIn(address: string): string {
  const bare = address.replace(/^::ffff:(?=\d+\.)/, '')
  return bare.includes(':') ? `[${bare}]` : bare
}
