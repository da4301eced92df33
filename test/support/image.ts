// The image without a container engine: what the Dockerfile says is done by hand, each stage in a folder that stands for its
// root. What only an engine or a Debian machine has is stood in for: `apt-get`, and `tini`, which hands over to what it is
// given. Commands are run with the paths of the folder; the user is dropped to where the test is root, as Docker would.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { npmEnvironment, repository, strangersEnvironment } from '../surfaces/checkout.ts'

export interface Instruction {
  /** "COPY" */
  readonly name: string
  readonly text: string
}

/** The Dockerfile, an instruction a line. */
export const instructions: readonly Instruction[] = readFileSync(join(repository, 'Dockerfile'), 'utf8')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ name: line.split(' ', 1)[0]!, text: line.slice(line.indexOf(' ') + 1).trim() }))

/** The only instruction of that name in the last stage. @throws Error There is none. */
export function theOnly(name: string): string {
  const [found, ...more] = lastStage().filter((each) => each.name === name)
  if (found === undefined || more.length > 0) throw new Error(`Dockerfile: expected one ${name} in the last stage`)
  return found.text
}

/** What is in the image, from its base on. */
export function lastStage(): readonly Instruction[] {
  return instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'))
}

export class Image {
  /** What is `/` in a container. */
  readonly root: string
  readonly #place: string
  #env: NodeJS.ProcessEnv = {}
  #workingDirectory = '/'

  private constructor() {
    this.#place = mkdtempSync(join(tmpdir(), 'dw-image-'))
    chmodSync(this.#place, 0o755)
    this.root = join(this.#place, 'root')
  }

  /** Builds it, as `docker build .` does. @throws Error A step failed. */
  static build(): Image {
    const image = new Image()
    try {
      image.#build()
      return image
    } catch (error) {
      image.remove()
      throw error
    }
  }

  /** Runs its entry point with these arguments. */
  run(argv: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    const [program, ...given] = JSON.parse(theOnly('ENTRYPOINT'))
    return this.exec([program, ...given, ...argv], env)
  }

  /** Runs a command in it, as its user; it may write where the image lets it, and nowhere else. */
  exec([program = '', ...argv]: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    const isRoot = process.getuid?.() === 0
    const [user = ''] = theOnly('USER').split(':')
    const nowhere = { HOME: '/nonexistent', TMPDIR: '/nonexistent' }
    const dropped = {
      NODE_OPTIONS: `--import ${new URL('drop-root.ts', import.meta.url).href}`,
      DROP_ROOT_TO: user,
    }
    return spawn(program, argv, {
      cwd: join(this.root, this.#workingDirectory),
      env: { ...this.#environment(this.root), ...nowhere, ...(isRoot ? dropped : {}), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  remove(): void {
    spawnSync('chmod', ['-R', 'u+w', this.#place])
    rmSync(this.#place, { recursive: true, force: true })
  }

  #build(): void {
    this.#standIn('apt-get', 'exit 0')
    this.#standIn('tini', 'shift; exec "$@"')
    if (process.getuid?.() !== 0) this.#standIn('chown', 'exit 0')
    let stage = this.root
    for (const { name, text } of instructions) {
      const words = text.split(/\s+/)
      if (name === 'FROM') {
        stage = words[1] === 'AS' ? join(this.#place, words[2]!) : this.root
        this.#env = {}
        this.#workingDirectory = '/'
        for (const folder of ['usr/local/bin', 'var/lib/apt/lists']) mkdirSync(join(stage, folder), { recursive: true })
      } else if (name === 'WORKDIR') {
        this.#workingDirectory = text
        mkdirSync(join(stage, text), { recursive: true })
      } else if (name === 'ENV') {
        this.#env = { ...this.#env, ...Object.fromEntries(words.map((word) => word.split('=', 2))) }
      } else if (name === 'COPY') {
        const from = words[0]?.startsWith('--from=') ? join(this.#place, words.shift()!.slice(7)) : repository
        const to = join(stage, words.at(-1)!.startsWith('/') ? '' : this.#workingDirectory, words.at(-1)!)
        for (const source of words.slice(0, -1)) {
          cpSync(join(from, source), to.endsWith('/') ? join(to, source) : to, {
            recursive: true,
            verbatimSymlinks: true,
          })
        }
      } else if (name === 'RUN') {
        this.#runStep(text, stage)
      }
    }
    spawnSync('chmod', ['-R', 'a-w', join(this.root, 'app')])
  }

  #runStep(command: string, stage: string): void {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command.replaceAll(/(?<=\s)\/(?=\w)/g, `${stage}/`)], {
      cwd: join(stage, this.#workingDirectory),
      env: { ...npmEnvironment(), ...this.#environment(stage) },
      encoding: 'utf8',
      timeout: 300_000,
    })
    if (status !== 0)
      throw new Error(`RUN ${command}\nended with ${status}: is npm's registry there?\n${stdout}${stderr}`)
  }

  /** What the image sets, in the environment of a stranger; paths are those of the folder. */
  #environment(stage: string): NodeJS.ProcessEnv {
    const own = Object.entries(this.#env).map(([name, value = '']) => [
      name,
      existsSync(join(stage, value)) && value.startsWith('/') ? join(stage, value) : value,
    ])
    const stranger = strangersEnvironment()
    const path = [join(stage, 'usr/local/bin'), join(this.#place, 'stand-ins'), stranger['PATH']].join(delimiter)
    return { ...stranger, ...Object.fromEntries(own), PATH: path }
  }

  #standIn(name: string, script: string): void {
    const folder = join(this.#place, 'stand-ins')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
}
