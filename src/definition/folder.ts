// Which files of a directory are workflow files, and their texts. What they mean is parse.ts's.
import { open, readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { ConfigError } from '../base/errors.ts'
import { limits } from '../base/limits.ts'

/** A file's name as people know it (under the directory as it was given) and its text. */
export interface WorkflowFile {
  readonly file: string
  readonly text: string
}

const extensions = new Set(['.yaml', '.yml', '.json'])
const folderDepthMax = 16

/**
 * The workflow files under a directory, sub-folders included, sorted; names starting with `.` or `_` are not read.
 * Links to files are followed (mounted configuration is made of them), links to folders are not.
 * @throws {ConfigError} DW_WORKFLOWS_NOT_FOUND where the directory cannot be read.
 */
export async function listWorkflowFiles(directory: string): Promise<readonly string[]> {
  const files: string[] = []
  try {
    await collect(directory, files, 0)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const message = `cannot read the workflow directory ${directory} (${reason})`
    throw new ConfigError([{ code: 'DW_WORKFLOWS_NOT_FOUND', message }])
  }
  return files.sort()
}

async function collect(folder: string, files: string[], depth: number): Promise<void> {
  if (depth > folderDepthMax) return
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith('.') || entry.name.startsWith('_')) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await collect(path, files, depth + 1)
    else if (
      extensions.has(extname(entry.name)) &&
      (entry.isFile() || (entry.isSymbolicLink() && (await isFile(path))))
    )
      files.push(path)
  }
}

async function isFile(path: string): Promise<boolean> {
  const target = await stat(path).catch(() => undefined)
  return target?.isFile() ?? false
}

/** The same files with their texts; of one that is too large only as much as it takes to say so. @throws {ConfigError} */
export async function readWorkflowFiles(directory: string): Promise<readonly WorkflowFile[]> {
  const files: WorkflowFile[] = []
  for (const file of await listWorkflowFiles(directory)) {
    const text = await readBounded(file)
    if (text !== undefined) files.push({ file, text })
  }
  return files
}

/** What a path names: one file, whatever it is called, or the workflow files under a directory. @throws {ConfigError} */
export async function readWorkflowPath(path: string): Promise<readonly WorkflowFile[]> {
  if (!(await isFile(path))) return readWorkflowFiles(path)
  const text = await readBounded(path)
  return text === undefined ? [] : [{ file: path, text }]
}

/** undefined: removed since it was listed. */
async function readBounded(file: string): Promise<string | undefined> {
  try {
    await using handle = await open(file)
    const buffer = Buffer.alloc(limits.definitionBytesMax + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length)
      length += bytesRead
      if (bytesRead === 0 || length === buffer.length) return buffer.toString('utf8', 0, length)
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConfigError([{ code: 'DW_WORKFLOW_UNREADABLE', message: `cannot read ${file}: ${reason}` }])
  }
}
