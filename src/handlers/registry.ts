// The handlers there are: the modules of one directory, found and imported once, at start.
//
// A name from a file or a record never reaches `import()`: names come from the directory's own listing, and every path
// is resolved to the real one and must lie inside (H1). Links that lead out are refused, not followed; a link to a
// directory that is being walked is a circle and refused as well.
// `billing/charge.ts` is the handler "billing/charge". Files and folders whose names start with "." or "_" are not
// read; neither are declarations (.d.ts) and tests (.test.ts), nor node_modules.
// Everything that is wrong is reported at once; nothing is imported while a name or a path is in doubt.
import { readdir, realpath, stat } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError, type Problem } from '../base/errors.ts'
import type { HandlerModule, HandlerSource } from './contract.ts'
import { readExports } from './exports.ts'
import type { HandlerThreads } from './threads.ts'

const extensions = new Set(['.ts', '.js', '.mjs'])
const notHandlers = /^[._]|\.d\.ts$|\.test\.(?:ts|js|mjs)$|^node_modules$/
/** More than any product has; a wrong directory (a home, a disk) ends here. */
const handlersMax = 1_000
const foldersDeepMax = 16

interface HandlerFile {
  readonly name: string
  /** As the author knows it, for messages. */
  readonly shown: string
  readonly realPath: string
}

/**
 * Imports every handler module of the directory; with no directory there are none.
 * @param threads where those with `execution: thread` run; absent: beside the others
 * @throws {ConfigError} With every problem: DW_HANDLER_DIRECTORY, DW_HANDLER_OUTSIDE, DW_HANDLER_DUPLICATE, DW_HANDLER_IMPORT, DW_HANDLER_EXPORT, DW_HANDLER_LIMIT.
 */
export async function loadHandlers(
  directory: string | undefined,
  threads?: Pick<HandlerThreads, 'hosted'>,
): Promise<HandlerSource> {
  if (directory === undefined) return handlerSource([])
  const problems: Problem[] = []
  const files = await findHandlerFiles(directory, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  const modules: HandlerModule[] = []
  const hosted: HandlerModule[] = []
  for (const file of files) {
    const module = await importHandler(file, problems)
    if (module === undefined) continue
    modules.push(module)
    hosted.push(threads?.hosted(hrefOf(file), module) ?? module)
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return handlerSource(modules, hosted)
}

/** A source of these modules. @param hosted the same, as they run in threads */
export function handlerSource(
  modules: readonly HandlerModule[],
  hosted: readonly HandlerModule[] = modules,
): HandlerSource {
  const byName = new Map(modules.map((module) => [module.name, module]))
  const inThreads = new Map(hosted.map((module) => [module.name, module]))
  return {
    find: (name, execution = 'main') => (execution === 'thread' ? inThreads : byName).get(name),
    names: [...byName.keys()].sort(),
  }
}

const hrefOf = (file: HandlerFile): string => pathToFileURL(file.realPath).href

async function findHandlerFiles(directory: string, problems: Problem[]): Promise<readonly HandlerFile[]> {
  const root = await realDirectory(directory)
  if (root === undefined) {
    problems.push({
      code: 'DW_HANDLER_DIRECTORY',
      message: `Handler directory ${directory} is not there or is not a directory: create it, or leave --handlers out.`,
    })
    return []
  }
  const found = new Map<string, HandlerFile>()
  const visited = new Set<string>()

  async function walk(folder: string, depth: number): Promise<void> {
    visited.add(folder)
    const entries = await readdir(folder)
    for (const entry of entries.sort()) {
      if (notHandlers.test(entry)) continue
      await take(join(folder, entry), depth)
    }
  }

  async function take(path: string, depth: number): Promise<void> {
    const shown = join(directory, relative(root!, path))
    const realPath = await realpath(path).catch(() => undefined)
    const kind = realPath === undefined ? undefined : await stat(realPath)
    if (realPath === undefined || kind === undefined) {
      problems.push({ code: 'DW_HANDLER_OUTSIDE', message: `${shown} is a link that leads nowhere: remove it.` })
      return
    }
    const isHandlerFile = kind.isFile() && extensions.has(extname(path))
    if (!isHandlerFile && !kind.isDirectory()) return
    // H1
    if (realPath !== root && !realPath.startsWith(root + sep)) {
      problems.push({
        code: 'DW_HANDLER_OUTSIDE',
        message: `${shown} is a link to ${realPath}, which is outside ${directory}: handlers are read from inside it only. Copy the file, or point --handlers at the folder that holds it.`,
      })
      return
    }
    if (kind.isDirectory()) {
      if (visited.has(realPath) || depth >= foldersDeepMax) {
        problems.push({
          code: 'DW_HANDLER_OUTSIDE',
          message: `${shown} leads back to a folder that is read already, or lies more than ${foldersDeepMax} folders deep: remove it.`,
        })
        return
      }
      await walk(realPath, depth + 1)
      return
    }
    const name = relative(root!, path).slice(0, -extname(path).length).split(sep).join('/')
    const other = found.get(name)
    if (other !== undefined) {
      problems.push({
        code: 'DW_HANDLER_DUPLICATE',
        message: `${other.shown} and ${shown} are both the handler "${name}": keep one of them.`,
      })
      return
    }
    found.set(name, { name, shown, realPath })
  }

  await walk(root, 0)
  if (found.size > handlersMax) {
    problems.push({
      code: 'DW_HANDLER_LIMIT',
      message: `${directory} holds ${found.size} modules, more than the ${handlersMax} that are read: is it the right directory?`,
    })
  }
  return [...found.values()]
}

async function realDirectory(directory: string): Promise<string | undefined> {
  const real = await realpath(directory).catch(() => undefined)
  return real !== undefined && (await stat(real)).isDirectory() ? real : undefined
}

async function importHandler(file: HandlerFile, problems: Problem[]): Promise<HandlerModule | undefined> {
  let exported: { readonly [name: string]: unknown }
  try {
    exported = await import(hrefOf(file))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    problems.push({ code: 'DW_HANDLER_IMPORT', message: `${file.shown} could not be loaded: ${reason}` })
    return undefined
  }
  const { module, wrongs } = readExports(file.name, exported)
  for (const wrong of wrongs) problems.push({ code: 'DW_HANDLER_EXPORT', message: `${file.shown} ${wrong}` })
  return module
}
