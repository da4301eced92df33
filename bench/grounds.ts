// What the workloads run on in one sitting. All runs on Kafka share one broker, which has been warmed up: the JVM compiles
// for its first half minute, and a new broker for each run would have that in its figures.
import { platformaticClient } from '../src/adapters/platformatic/client.ts'
import { kafkaGround, embeddedGround } from '../src/bench/ground.ts'
import { floorRate, orderRate } from '../src/bench/rates.ts'
import type { Ground } from '../src/bench/site.ts'
import type { Log } from '../src/runtime/ports.ts'
import { startBroker, type KafkaBroker } from '../test/support/kafka/broker.ts'

export const logNames = ['embedded', 'kafka'] as const
export type LogName = (typeof logNames)[number]

/** Of every topic, of the engine's and of the floor's. */
const partitions = 12
/** On a new broker, before anything is measured: the first run is then within the noise of the others. */
const brokerWarmUp = { instances: 5_000, warmUp: 1_000 } as const
const brokerSettings = {
  // What was removed is off the disk before the next run is measured, not a minute later in the middle of one.
  'log.segment.delete.delay.ms': '1000',
}

interface WarmKafka {
  readonly broker: KafkaBroker
  readonly ground: Ground
}

export class Grounds {
  readonly #tell: (line: string) => void
  #kafka: Promise<WarmKafka> | undefined

  constructor(tell: (line: string) => void) {
    this.#tell = tell
  }

  async on(log: LogName): Promise<Ground> {
    return log === 'embedded' ? embeddedGround(options()) : (await this.#onKafka()).ground
  }

  /** The broker's address; it is started where it is not there yet. */
  async brokers(): Promise<readonly string[]> {
    return [(await this.#onKafka()).broker.address]
  }

  async dispose(): Promise<void> {
    await (await this.#kafka?.catch(() => undefined))?.broker.dispose()
  }

  #onKafka(): Promise<WarmKafka> {
    return (this.#kafka ??= this.#startKafka())
  }

  async #startKafka(): Promise<WarmKafka> {
    const beganAtMs = performance.now()
    const broker = await startBroker(brokerSettings)
    try {
      const ground = onBroker(broker)
      await floorRate(ground, brokerWarmUp)
      await orderRate(ground, brokerWarmUp)
      this.#tell(`a broker was started and warmed up in ${Math.round((performance.now() - beganAtMs) / 1_000)} s`)
      return { broker, ground }
    } catch (error) {
      await broker.dispose()
      throw error
    }
  }
}

const options = () => ({ partitions, signal: new AbortController().signal })

function onBroker({ address }: KafkaBroker): Ground {
  const ground = kafkaGround({ client: platformaticClient, brokers: [address], clientId: 'bench' }, options())
  return {
    ...ground,
    async openLog(directory, app) {
      const log = await ground.openLog(directory, app)
      await refuseOthers(log)
      return log
    },
  }
}

/** A run that shares its broker with the topics of another measures both. @throws {Error} */
async function refuseOthers(log: Log): Promise<void> {
  const left = await log.listTopics()
  if (left.length === 0) return
  await log.close()
  throw new Error(`the run before has left topics on the broker: ${left.map(({ name }) => name).join(', ')}`)
}
