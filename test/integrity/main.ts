// Campaigns with real files and real processes.
//
//   npm run torture -- kill9 | kafka | torn | disk | store [--option N …]
//
// The defaults are the long forms, the bar; the tests beside them are the short ones. Progress goes to stderr, one JSON
// line to stdout; it exits with 1 where there is a violation, with 2 where the command line cannot be used.
import { parseArgs } from 'node:util'
import { tell, type CampaignOptions, type CampaignResult } from './campaign.ts'
import { diskCampaign } from './disk.ts'
import { kafkaCampaign } from './kafka.ts'
import { killCampaign } from './kill9.ts'
import { storeCampaign } from './store.ts'
import { strangersCampaign } from './strangers.ts'
import { tornCampaign } from './torn.ts'

interface Torture {
  readonly about: string
  /** Numbers, with what they are by default. */
  readonly options: { readonly [name: string]: { readonly by: number; readonly about: string } }
  run(given: { readonly [name: string]: number }, options: CampaignOptions): Promise<CampaignResult>
}

const tortures: { readonly [name: string]: Torture } = {
  kill9: {
    about: 'a daemon under load is killed with -9, in every manner, and audited against what it acknowledged',
    options: {
      kills: { by: 200, about: 'how often' },
      orders: { by: 10_000, about: 'orders that flow through it meanwhile' },
    },
    run: ({ kills = 0, orders = 0 }, options) => killCampaign({ kills, orders, ...options }),
  },
  kafka: {
    about:
      'workers on a real Kafka are killed, put to sleep, joined and left, its broker restarted, and all is audited',
    options: {
      workers: { by: 3, about: 'how many share the partitions' },
      orders: { by: 20_000, about: 'orders that flow through them meanwhile' },
      kills: { by: 100, about: 'kill -9 of a worker, in every manner' },
      restarts: { by: 20, about: 'restarts of the broker, every second one by kill -9' },
      zombies: { by: 20, about: 'workers that sleep past the session and the transaction timeout' },
      rebalances: { by: 50, about: 'joins and leaves of another worker' },
    },
    run: ({ workers = 0, orders = 0, kills = 0, restarts = 0, zombies = 0, rebalances = 0 }, options) =>
      kafkaCampaign({ workers, orders, kills, restarts, zombies, rebalances, ...options }),
  },
  torn: {
    about: 'the files of log and store are cut off at every byte of their end, and opened',
    options: { bytes: { by: 65_536, about: 'how far from the end' } },
    run: ({ bytes = 0 }, options) => tornCampaign({ bytes, ...options }),
  },
  disk: {
    about: 'a daemon on a disk that is full, fails, is read-only, locked, or removed',
    options: { rounds: { by: 5, about: 'how often each' } },
    run: ({ rounds = 0 }, options) => diskCampaign({ rounds, ...options }),
  },
  store: {
    about: 'bits of log and store are flipped; then directories of strangers, and a store older than the tombstones',
    options: {
      flips: { by: 2_000, about: 'how many damages' },
      seed: { by: 1, about: 'which' },
    },
    run: async ({ flips = 0, seed = 0 }, options) =>
      together(await storeCampaign({ flips, seed, ...options }), await strangersCampaign({ seed, ...options })),
  },
}

function together(one: CampaignResult, other: CampaignResult): CampaignResult {
  return {
    runs: one.runs + other.runs,
    faults: one.faults + other.faults,
    violations: [...one.violations, ...other.violations],
    coverage: { ...one.coverage, ...other.coverage },
  }
}

function usage(): string {
  const lines = ['npm run torture -- NAME [--option N …]', '']
  for (const [name, { about, options }] of Object.entries(tortures)) {
    lines.push(`  ${name.padEnd(7)}${about}`)
    for (const [option, { by, about: what }] of Object.entries(options))
      lines.push(`         --${option} N   ${what} (default: ${by})`)
  }
  return lines.join('\n')
}

/** The torture that the command line names, with its numbers. @throws Error what is wrong with it */
function chosen(argv: readonly string[]): { torture: Torture; given: { readonly [name: string]: number } } {
  const [name = '', ...flags] = argv
  const torture = Object.hasOwn(tortures, name) ? tortures[name] : undefined
  if (torture === undefined) throw new Error(`expected one of ${Object.keys(tortures).join(', ')}, found "${name}"`)
  const names = Object.entries(torture.options)
  const { values } = parseArgs({
    args: flags,
    options: Object.fromEntries(
      names.map(([option, { by }]) => [option, { type: 'string', default: String(by) }] as const),
    ),
  })
  const given = names.map(([option]) => [option, Number(values[option])] as const)
  const odd = given.find(([, value]) => !Number.isSafeInteger(value) || value < 0)
  if (odd !== undefined) throw new Error(`--${odd[0]} wants a number, found "${values[odd[0]]}"`)
  return { torture, given: Object.fromEntries(given) }
}

const argv = process.argv.slice(2)
if (argv.includes('--help')) {
  console.log(usage())
} else {
  const choice = attempt(() => chosen(argv))
  if (choice instanceof Error) {
    console.error(`${choice.message}\n\n${usage()}`)
    process.exitCode = 2
  } else {
    tell(await choice.torture.run(choice.given, { onProgress: (text) => console.error(text) }))
  }
}

function attempt<Result>(step: () => Result): Result | Error {
  try {
    return step()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
