// dagger-worker demo: a worker with the example workflow, and a small shop that keeps it busy.
//
// Everything that happens goes through the HTTP API of a worker in this process, on the embedded log; the services and
// the orders are clients like any other. Without --exit it stays up for a look around, until Ctrl-C.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import type { WorkerConfig } from '../../config/worker-config.ts'
import type { InstanceView } from '../../runtime/face.ts'
import { Calls } from '../calls.ts'
import { Client } from '../client.ts'
import { orderLine, settled } from '../demo/feed.ts'
import { type Order, orderNumber, place, runServices } from '../demo/shop.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { isTerminal } from '../instance-text.ts'
import { createOutput, type Output } from '../output.ts'
import { serverSuffix, wholeNumber } from '../remote.ts'
import type { RunningWorker, Surroundings } from '../surroundings.ts'
import { untilStopped } from './start.ts'

const ordersDefault = 12
const placedEveryMs = 250
const partitions = 3

interface DemoFlags {
  readonly orders: number
  readonly exit?: true
}

export function addDemo(program: Command, surroundings: Surroundings): void {
  program
    .command('demo')
    .summary('see it work, with nothing to set up')
    .description('Starts a worker with the example workflow and a simulated shop around it. Its data is thrown away.')
    .option('--orders <n>', 'how many orders are placed', wholeNumber(3), ordersDefault)
    .option('--exit', 'end by itself: 0 if all but the planned incident completed')
    .addHelpText('after', '\nExample:\n  dagger-worker demo --orders 20')
    .action((flags: DemoFlags) => demo(flags, surroundings))
}

async function demo(flags: DemoFlags, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const data = join(surroundings.workingDirectory, '.dagger-worker', 'demo')
  const config = await demoConfig(data, surroundings)
  const release = await claimDirectory(data)
  try {
    const running = await surroundings.startWorker(config, { jsonLogs: false })
    const shop = new Client(new Calls(running.url))
    try {
      const stopped = untilStopped(running, output, surroundings, { onStopping: () => shop.close() })
      const shown = showShop(shop, flags, running, config, surroundings, output).catch((error: unknown) => {
        // Ctrl-C closed the shop under its own feet.
        if (!shop.isClosed) throw error
        return stopped
      })
      await Promise.race([shown, stopped])
    } finally {
      shop.close()
      await running.stop()
    }
  } finally {
    await release()
  }
}

async function showShop(
  shop: Client,
  { orders: count, exit }: DemoFlags,
  running: RunningWorker,
  config: WorkerConfig,
  surroundings: Surroundings,
  output: Output,
): Promise<void> {
  const { style } = output
  output.line(
    `${style.green('dagger-worker demo')}: a worker at ${style.cyan(running.url)}, workflow ${style.bold('order')} of ${config.workflows}`,
  )
  output.line(`${count} orders come in; a payment service and a warehouse answer over Kafka-like topics.`)
  output.line()
  const services = runServices(shop)
  const orders = Array.from({ length: count }, (_, index) => orderNumber(index + 1))
  const outcomes = await Promise.race([placeAll(shop, orders, output), services])
  const unexpected = outcomes.filter(({ order, instance }) => !isAsPlanned(order, instance))
  output.line()
  for (const line of summaryLines(outcomes, unexpected.length, running.url, surroundings, output)) output.line(line)
  if (exit === true) {
    if (unexpected.length > 0)
      throw new CommandFailure(`${unexpected.length} of ${count} orders did not end as planned.`)
    return
  }
  output.line(style.dim('The worker stays up. Ctrl-C ends the demo.'))
  await services
}

interface Outcome {
  readonly order: Order
  readonly instance: InstanceView
}

async function placeAll(shop: Client, orders: readonly Order[], output: Output): Promise<readonly Outcome[]> {
  const outcomes: Promise<Outcome>[] = []
  for (const order of orders) {
    await place(shop, order)
    const outcome = settled(shop, order).then((instance) => {
      output.line(orderLine(order, instance, output.style))
      return { order, instance }
    })
    // A failure is looked at when all are placed; until then it is not an unhandled one.
    outcome.catch(() => {})
    outcomes.push(outcome)
    await pause(placedEveryMs)
  }
  return Promise.all(outcomes)
}

function isAsPlanned({ isPlannedIncident }: Order, { status, incidents }: InstanceView): boolean {
  return isPlannedIncident ? incidents === 1 && !isTerminal(status) : status === 'COMPLETED'
}

function* summaryLines(
  outcomes: readonly Outcome[],
  unexpected: number,
  url: string,
  { env, programName }: Surroundings,
  { style }: Output,
): Generator<string> {
  const completed = outcomes.filter(({ instance }) => instance.status === 'COMPLETED').length
  const incidents = outcomes.filter(({ instance }) => instance.incidents > 0)
  yield `${style.bold('Summary')}  ${style.green(`${completed} completed`)}, ${style.red(`${incidents.length} with an incident`)}${
    unexpected === 0 ? ' (planned: its payment was declined)' : `, ${style.red(`${unexpected} not as planned`)}`
  }`
  yield ''
  const server = serverSuffix(url, env)
  const waiting = incidents[0]?.order.orderId ?? 'o-1'
  yield style.bold('What to try next, in another terminal:')
  yield `  ${programName} instances list${server}`
  yield `  ${programName} instances show order/${waiting}${server}`
  yield `  ${programName} run order --key o-100 --input '{"orderId":"o-100","amount":25}'${server}`
  yield `  ${programName} produce orders --key o-101 --value '{"orderId":"o-101","amount":9.5}'${server}`
  yield `  ${programName} consume warehouse-events${server}`
  yield ''
}

async function demoConfig(data: string, { packageDirectory, workingDirectory }: Surroundings): Promise<WorkerConfig> {
  // The environment is left out: the demo is the same wherever it runs.
  const port = (await isFree(7070)) ? '7070' : '0'
  const flags = {
    workflows: join(packageDirectory, 'workflows'),
    data,
    port,
    partitions: String(partitions),
    logLevel: 'warn',
  }
  const { loadConfig } = await import('../../config/worker-config.ts')
  return loadConfig({ flags, env: {}, workingDirectory })
}

async function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const probe = createServer()
  probe.once('error', () => resolve(false))
  probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  return promise
}

/** Empties the directory for this demo. @throws {CommandFailure} Another demo is using it. Returns what gives it back. */
async function claimDirectory(data: string): Promise<() => Promise<void>> {
  const claim = `${data}.pid`
  const owner = Number(await readFile(claim, 'utf8').catch(() => ''))
  if (owner > 0 && owner !== process.pid && isAlive(owner)) {
    throw new CommandFailure(
      `A demo is running in ${data} already (process ${owner}). End that one, or start this one from another directory.`,
      exitCodes.usage,
    )
  }
  await rm(data, { recursive: true, force: true })
  await mkdir(data, { recursive: true })
  await writeFile(claim, String(process.pid))
  return () => rm(claim, { force: true })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
