// The sources under src and what they import, for the tests of the house. Imports are found by their form: the formatter
// puts every import and re-export at the beginning of a line, in single quotes, which a regular expression can rely on.
import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

const root = join(import.meta.dirname, '../..')

export interface Source {
  /** From the root of the repository: "src/http/server.ts". */
  readonly file: string
  readonly text: string
}

export interface Imports {
  /** Files of ours, from the root of the repository. */
  readonly files: readonly string[]
  /** Names of packages and of built-in modules: "fastify", "@scope/name", "node:fs". */
  readonly packages: readonly string[]
  /** Whether `import()` is called with something else than a text that stands there. */
  readonly isOpen: boolean
}

/** Every TypeScript file under src, in order. */
export function readSources(): readonly Source[] {
  const files = globSync('src/**/*.ts', { cwd: root }).map((file) => file.replaceAll('\\', '/'))
  return files.sort().map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))
}

/** The dependencies that are installed with the package. */
export function readDependencies(): readonly string[] {
  const manifest: { dependencies: object } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return Object.keys(manifest.dependencies)
}

const statics = /^(?:import|export)\s(?:[^'"`;]*?\sfrom\s+)?['"]([^'"\n]+)['"]/gm
const dynamics = /\bimport\(\s*(?:['"]([^'"\n]+)['"])?/g

/** What a source imports: static, type-only, re-exported, for its effects, dynamic, and in the position of a type. */
export function importsOf({ file, text }: Source): Imports {
  const code = withoutComments(text)
  const called = [...code.matchAll(dynamics)].map((match) => match[1])
  const named = [...code.matchAll(statics)].map((match) => match[1]).concat(called)
  const specifiers = [...new Set(named.filter((specifier) => specifier !== undefined))]
  const isOurs = (specifier: string) => specifier.startsWith('.')
  return {
    files: specifiers.filter(isOurs).map((specifier) => posix.join(posix.dirname(file), specifier)),
    packages: specifiers.filter((specifier) => !isOurs(specifier)).map(packageOf),
    isOpen: called.includes(undefined),
  }
}

/** Whether all that a source does is to export what others define. */
export function isBarrel({ text }: Source): boolean {
  const code = withoutComments(text).trim()
  const rest = code.replace(/^export\s(?:type\s)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+['"][^'"]+['"];?/gm, '')
  return code !== '' && rest.trim() === ''
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** Without the comments that begin a line; those behind code on its line stay: no import begins there. */
function withoutComments(text: string): string {
  return text.replace(/^[ \t]*(?:\/\*[\s\S]*?\*\/|\/\/.*)/gm, '')
}
