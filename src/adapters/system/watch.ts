// Watches a directory for changes of any file in it, and tells once things have been quiet for a moment: an editor
// writes a file in several steps, and a deployment many files.
import { watch } from 'chokidar'

const quietMs = 150

/** Calls back after changes; resolves, once watching, with the way to end it. */
export async function watchDirectory(directory: string, onChange: () => void): Promise<() => Promise<void>> {
  let timer: NodeJS.Timeout | undefined
  const watcher = watch(directory, { ignoreInitial: true })
  watcher.on('all', () => {
    clearTimeout(timer)
    timer = setTimeout(onChange, quietMs)
  })
  await new Promise<void>((resolve, reject) => {
    watcher.once('ready', resolve)
    watcher.once('error', reject)
  })
  return async () => {
    clearTimeout(timer)
    await watcher.close()
  }
}
