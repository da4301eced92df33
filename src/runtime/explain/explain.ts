// Why things are as they are, as the face has it: of an instance that lives here, and of a record as far as it is known here.
import { partitionOfInstance } from '../../engine/deciders/instance.ts'
import type { ExplainFace, InstanceExplanation, RecordExplanation } from '../faces/explain-face.ts'
import { InstanceExplainer } from './explain-instance.ts'
import { RecordExplainer, type RecordExplainOptions } from './explain-record.ts'
import { expectRunning } from '../running.ts'

export class Explain implements ExplainFace {
  readonly #options: RecordExplainOptions
  readonly #instances: InstanceExplainer
  readonly #records: RecordExplainer

  constructor(options: RecordExplainOptions) {
    this.#options = options
    this.#instances = new InstanceExplainer(options)
    this.#records = new RecordExplainer(options)
  }

  /** @throws {Unavailable} Its partition does not run here now. */
  async instance(id: string): Promise<InstanceExplanation | undefined> {
    const { hosts } = this.#options
    const number = partitionOfInstance(id)
    if (number === undefined || number >= hosts.length) return undefined
    return this.#instances.explain(id, expectRunning(hosts, number).reading)
  }

  record(topic: string, partition: number, offset: number): Promise<RecordExplanation | undefined> {
    return this.#records.explain(topic, partition, offset)
  }
}
