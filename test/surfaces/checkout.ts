// A checkout in a directory of its own, as a stranger has it after `npm ci`: the files that git and npm would bring, with
// the dependencies linked. What runs in it leaves nothing in ours.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

export const repository = join(import.meta.dirname, '../..')

const copied = [
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'bin',
  'schemas',
  'src',
  'workflows',
]

export interface Checkout {
  readonly directory: string
  readonly remove: () => void
}

/** Makes one under the system's temporary directory. */
export function makeCheckout(): Checkout {
  const directory = join(mkdtempSync(join(tmpdir(), 'dw-checkout-')), 'dagger-worker')
  mkdirSync(directory)
  for (const name of copied) cpSync(join(repository, name), join(directory, name), { recursive: true })
  symlinkSync(join(repository, 'node_modules'), join(directory, 'node_modules'))
  return { directory, remove: () => rmSync(dirname(directory), { recursive: true, force: true }) }
}

/** The environment of a stranger's shell: none of our settings, this Node first on the path, no colours. */
export function strangersEnvironment(more: { readonly [name: string]: string } = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:DAGGER_WORKER_|NODE_|npm_|FORCE_COLOR)/.test(name))
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  return { ...Object.fromEntries(kept), PATH: path, NO_COLOR: '1', ...more }
}

/** The same for npm where it asks its registry: what says how that is reached stays. */
export function npmEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(?:NODE_EXTRA_CA_CERTS|npm_config_(?:registry|cache|userconfig|globalconfig|cafile|.*proxy))$/i.test(name),
  )
  return { ...strangersEnvironment(), ...Object.fromEntries(kept) }
}
