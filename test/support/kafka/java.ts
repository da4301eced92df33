// Runs a Java client of this folder from its source, with Kafka's own jars.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { installKafka } from './install.ts'

const options = ['-Dfile.encoding=UTF-8', '-Dsun.jnu.encoding=UTF-8', '-XX:TieredStopAtLevel=1']

/** The lines that it prints, as they come; `input` is what it reads. @throws Error when it fails, with what it complained of */
export async function* runJava(source: string, argv: readonly string[], input = ''): AsyncGenerator<string> {
  const classPath = join(await installKafka(), '*')
  const child = spawn('java', ['-cp', classPath, ...options, join(import.meta.dirname, source), ...argv], {
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  })
  const closed = once(child, 'close')
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  // It may end before it has read all; its exit code tells.
  child.stdin.on('error', () => {}).end(input)
  try {
    yield* createInterface({ input: child.stdout })
    const [code] = await closed
    if (code !== 0) throw new Error(`${source} ended with ${code}:\n${complaints.slice(-2_000)}`)
  } finally {
    child.kill('SIGKILL')
  }
}

/** All lines that it prints. */
export async function linesOfJava(...call: Parameters<typeof runJava>): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const line of runJava(...call)) lines.push(line)
  return lines
}
