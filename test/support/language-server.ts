// The YAML language server that editors use, as a process that is spoken to as an editor does: LSP over stdio.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'

const repository = join(import.meta.dirname, '../..')
const program = join(repository, 'node_modules/yaml-language-server/bin/yaml-language-server')
/** Where the documents are said to lie: the modeline is relative to it. */
const folder = pathToFileURL(join(repository, 'workflows/')).href

export interface Position {
  readonly line: number
  readonly character: number
}

export interface Diagnostic {
  readonly message: string
  readonly range: { readonly start: Position; readonly end: Position }
}

export interface Editor {
  /** Opens a document, and resolves with what is underlined in it. */
  open(text: string): Promise<OpenDocument>
}

export interface OpenDocument {
  readonly diagnostics: readonly Diagnostic[]
  /** Labels that are offered at the place. */
  complete(at: Position): Promise<readonly string[]>
  /** Markdown, empty where there is none. */
  hover(at: Position): Promise<string>
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: unknown
}

/** Starts the server; it ends with the test. */
export async function startEditor(t: TestContext): Promise<Editor> {
  const server = spawn(process.execPath, [program, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(async () => {
    const exited = once(server, 'exit')
    server.kill()
    await exited
  })
  const answers = new Map<number, (message: Message) => void>()
  const published = new Map<string, (diagnostics: readonly Diagnostic[]) => void>()
  let ids = 0
  let documents = 0

  const send = (message: object): void => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message })
    server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
  const request = async <Result>(method: string, params: object): Promise<Result> => {
    const id = ++ids
    const { promise, resolve } = Promise.withResolvers<Message>()
    answers.set(id, resolve)
    send({ id, method, params })
    const { result, error } = await promise
    assert.equal(error, undefined)
    return result as Result
  }
  const take = (message: Message): void => {
    const { id, method, params } = message
    if (method === undefined) return answers.get(id ?? 0)?.(message)
    if (id !== undefined) {
      // What the server asks of an editor: the settings of each section, or something that is not ours to answer.
      const { items } = Object(params)
      send({ id, result: Array.isArray(items) ? items.map(settingsOf) : null })
    } else if (method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = Object(params)
      published.get(uri)?.(diagnostics)
    }
  }
  readMessages(server.stdout, take)

  await request('initialize', {
    processId: process.pid,
    rootUri: pathToFileURL(repository).href,
    capabilities: {
      workspace: { configuration: true },
      textDocument: { completion: { completionItem: {} }, hover: { contentFormat: ['markdown'] } },
    },
  })
  send({ method: 'initialized', params: {} })

  return {
    async open(text) {
      const uri = `${folder}opened-${++documents}.yaml`
      const { promise, resolve } = Promise.withResolvers<readonly Diagnostic[]>()
      published.set(uri, resolve)
      send({
        method: 'textDocument/didOpen',
        params: { textDocument: { uri, languageId: 'yaml', version: 1, text } },
      })
      const diagnostics = await promise
      const at = (position: Position): object => ({ textDocument: { uri }, position })
      return {
        diagnostics,
        async complete(position) {
          const { items } = await request<{ items: readonly { label: string }[] }>(
            'textDocument/completion',
            at(position),
          )
          return items.map(({ label }) => label)
        },
        async hover(position) {
          const found = await request<{ contents: { value: string } } | null>('textDocument/hover', at(position))
          return found?.contents.value ?? ''
        },
      }
    },
  }
}

function settingsOf({ section }: { readonly section: string }): object {
  // Nothing of other people's: no store of schemas is asked over the network.
  return section === 'yaml' ? { validate: true, completion: true, hover: true, schemaStore: { enable: false } } : {}
}

function readMessages(stream: NodeJS.ReadableStream, take: (message: Message) => void): void {
  let buffer = Buffer.alloc(0)
  stream.on('data', (piece: Buffer) => {
    buffer = Buffer.concat([buffer, piece])
    for (;;) {
      const end = buffer.indexOf('\r\n\r\n')
      const length = Number(/Content-Length: (\d+)/i.exec(buffer.toString('latin1', 0, Math.max(0, end)))?.[1] ?? NaN)
      if (!(end >= 0 && buffer.length >= end + 4 + length)) return
      take(JSON.parse(buffer.toString('utf8', end + 4, end + 4 + length)))
      buffer = buffer.subarray(end + 4 + length)
    }
  })
}

/** A text with `|` where the cursor is. */
export function cursorIn(marked: string): { readonly text: string; readonly at: Position } {
  const before = marked.slice(0, marked.indexOf('|'))
  const lines = before.split('\n')
  return {
    text: marked.replace('|', ''),
    at: { line: lines.length - 1, character: lines.at(-1)!.length },
  }
}
