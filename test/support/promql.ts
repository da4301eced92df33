// PromQL as its own grammar reads it: which metrics an expression asks for, and by which labels.
import { parser } from '@prometheus-io/lezer-promql'

export interface Asked {
  /** As it is written: with _bucket, _sum or _count for a histogram. */
  readonly metric: string
  /** That it is selected by. */
  readonly labels: readonly string[]
}

export interface Expression {
  readonly asked: readonly Asked[]
  /** That it groups or joins by. */
  readonly grouping: readonly string[]
}

/** @throws {SyntaxError} It is not PromQL. */
export function readPromql(text: string): Expression {
  const asked: { metric: string; labels: string[] }[] = []
  const grouping: string[] = []
  let isSelector = false
  parser.parse(text).iterate({
    enter({ type, from, to }) {
      const part = text.slice(from, to)
      if (type.isError) throw new SyntaxError(`not PromQL at ${from}: ${text}`)
      if (type.name === 'VectorSelector') isSelector = true
      if (type.name === 'Identifier') asked.push({ metric: part, labels: [] })
      if (type.name === 'LabelName') (isSelector ? asked.at(-1)!.labels : grouping).push(part)
    },
    leave({ type }) {
      if (type.name === 'VectorSelector') isSelector = false
    },
  })
  return { asked, grouping }
}
