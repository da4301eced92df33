// Hosts that an operator allows, and whether an address is one of them. Names are compared as URLs have them: in lower
// case, IPv4 in its usual form however it was written.

export interface AllowedHost {
  readonly hostname: string
  /** Absent: the one of the scheme, 80 or 443. */
  readonly port: string | undefined
}

const form = /^(\[[0-9a-fA-F:.]+\]|[^\s:/?#@\\[\]%*]+)(?::(\d{1,5}))?$/

/** Reads "host" or "host:port"; undefined where it is neither. */
export function parseHost(text: string): AllowedHost | undefined {
  const [, name = '', port] = form.exec(text) ?? []
  if (name === '' || Number(port ?? 1) < 1 || Number(port ?? 1) > 65_535) return undefined
  const url = URL.parse(`http://${name}`)
  return url === null
    ? undefined
    : { hostname: url.hostname, port: port === undefined ? undefined : String(Number(port)) }
}

/** True where the operator has allowed the URL's host, on the URL's port. */
export function isAllowed({ hostname, port, protocol }: URL, allowed: readonly AllowedHost[]): boolean {
  const own = protocol === 'https:' ? '443' : '80'
  return allowed.some((host) => host.hostname === hostname && (host.port ?? own) === (port === '' ? own : port))
}
