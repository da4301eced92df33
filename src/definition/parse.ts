// Workflow files → Workflows, or every problem of every file at once.
// The steps: text (source.ts), shape (structure.ts), meaning (build.ts, check.ts).
//
//   D1. A file with a problem gives no workflow; the other files do.
//   D2. The same content is the same version, whoever compiles it: both ways in here build from the canonical JSON.
import { Buffer } from 'node:buffer'
import { DefinitionError } from '../base/errors.ts'
import type { Problem } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { limits } from '../base/limits.ts'
import { warningsAcross } from './across.ts'
import type { PlacedDraft } from './across.ts'
import { buildWorkflow } from './build.ts'
import type { Draft } from './build.ts'
import { canonicalJson } from './canonical.ts'
import { checkWorkflow } from './check.ts'
import type { CheckOptions } from './check.ts'
import { Compiler } from './compiler.ts'
import { Cursor, isObject, pathText } from './cursor.ts'
import type { WorkflowFile } from './folder.ts'
import { Report } from './report.ts'
import { readSource } from './source.ts'
import type { SourceDocument } from './source.ts'
import { reportStructure } from './structure.ts'
import type { Workflow } from './workflow.ts'

/** What the files hold: the workflows of those with no problem, and all problems of the others (`limits.problemsMax` at most). */
export interface LoadedWorkflows {
  readonly workflows: readonly Workflow[]
  readonly problems: readonly Problem[]
  /** What is likely wrong between files, and can be right where there are others: nothing is refused for it. */
  readonly warnings: readonly Problem[]
  /** The workflows of each file, by its name; `broken`: it has problems, and what it had before goes on serving. */
  readonly byFile: ReadonlyMap<string, readonly Workflow[] | 'broken'>
}

/** Compiles workflow files. Names are unique over all of them: the first one keeps its name. */
export function loadWorkflows(files: readonly WorkflowFile[], options: CheckOptions = {}): LoadedWorkflows {
  const workflows: Workflow[] = []
  const problems: Problem[] = []
  const byFile = new Map<string, readonly Workflow[] | 'broken'>()
  const places = new Map<string, string>()
  const drafts: PlacedDraft[] = []
  for (const { file, text } of files) {
    const source = readSource(file, text)
    const found: Workflow[] = []
    const wrong: Problem[] = [...source.problems]
    for (const document of source.documents) {
      const checked = checkDocument(document, options)
      wrong.push(...checked.problems)
      if (checked.draft !== undefined) {
        found.push(checked.draft.workflow)
        drafts.push({ draft: checked.draft, document })
      }
      wrong.push(...claimName(document, places))
    }
    problems.push(...wrong)
    if (wrong.length === 0) workflows.push(...found)
    byFile.set(file, wrong.length === 0 ? found : 'broken')
  }
  return {
    workflows,
    problems: problems.slice(0, limits.problemsMax),
    warnings: warningsAcross(drafts, places.keys()).slice(0, limits.problemsMax),
    byFile,
  }
}

/** The latest that were compiled, by their canonical JSON (D2): a source that is published again comes back as it was. */
const compiled = new Map<string, Workflow>()
const compiledMax = 256

function remember(workflow: Workflow): Workflow {
  compiled.delete(workflow.source)
  compiled.set(workflow.source, workflow)
  const [oldest] = compiled.keys()
  if (compiled.size > compiledMax && oldest !== undefined) compiled.delete(oldest)
  return workflow
}

/** Compiles a workflow from its canonical JSON, as it comes back from the log. @throws {DefinitionError} */
export function compileWorkflow(source: string): Workflow {
  const known = compiled.get(source)
  if (known !== undefined) return remember(known)
  let json: Json
  try {
    json = parseJson(source)
  } catch {
    throw new DefinitionError([{ code: 'DW_DEFINITION', message: 'expected a workflow as JSON, found another text' }])
  }
  const problem: SourceDocument['problem'] = (code, path, message) => ({ code, message, path: pathText(path) })
  const { draft, problems } = checkDocument({ json, problem }, {})
  if (draft === undefined) throw new DefinitionError(problems)
  return remember(draft.workflow)
}

function parseJson(text: string): Json {
  return JSON.parse(text)
}

interface Checked {
  /** Only where there are no problems. */
  readonly draft?: Draft
  readonly problems: readonly Problem[]
}

function checkDocument(document: SourceDocument, options: CheckOptions): Checked {
  const report = new Report(document)
  const canonical = canonicalJson(document.json)
  if (Buffer.byteLength(canonical, 'utf8') > limits.payloadBytesMax) {
    report.add('DW_LIMIT', [], `the workflow is too large: at most ${limits.payloadBytesMax / 1024} KiB as JSON`)
    return { problems: report.problems }
  }
  const root = new Cursor(parseJson(canonical))
  reportStructure(root, report)
  if (isObject(root.value)) {
    const compiler = new Compiler(report)
    const draft = buildWorkflow(root, compiler, report)
    checkWorkflow(draft, compiler, report, options)
    if (report.problems.length === 0) return { draft, problems: [] }
  }
  return { problems: report.problems }
}

function claimName(document: SourceDocument, places: Map<string, string>): readonly Problem[] {
  const name = new Cursor(document.json).at('workflow').text
  if (name === undefined) return []
  const problem = document.problem('DW_DUPLICATE_WORKFLOW', ['workflow'], '')
  const here = problem.place === undefined ? '' : `${problem.place.file}:${problem.place.line}`
  const other = places.get(name)
  if (other !== undefined)
    return [{ ...problem, message: `the name \`${name}\` is taken by another workflow at ${other}` }]
  places.set(name, here)
  return []
}
