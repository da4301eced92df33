// npm run simulate -- --seeds N [--seed S]     many seeds from S on; one JSON line at the end
// npm run simulate -- --seeds 1 --seed S --story   one seed, told step by step
// npm run simulate -- --crash-points              a crash at every request of one run
import { parseArgs } from 'node:util'
import { campaign } from './campaign.ts'
import { simulate, swarm } from './run.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1' },
    story: { type: 'boolean', default: false },
    'crash-points': { type: 'boolean', default: false },
  },
})

if (values.story) {
  const { world, violations } = await simulate(swarm(Number(values.seed)))
  process.stdout.write(`${world.scheduler.trace.story()}\n${violations.join('\n')}\n`)
  process.exitCode = violations.length > 0 ? 1 : 0
} else if (values['crash-points']) {
  const violations: string[] = []
  let runs = 0
  for (; ; runs++) {
    const run = await simulate({ seed: Number(values.seed), workers: 1, instances: 5, failAfterOperations: runs })
    violations.push(...run.violations.map((violation) => `dies at ${runs}: ${violation}`))
    if (!run.world.scheduler.failureWasReached) break
    if (runs % 50 === 0) process.stderr.write(`\r${runs} crash points, ${violations.length} violations`)
  }
  process.stderr.write('\n')
  finish({ runs, faults: { crash: runs }, violations }, violations.length)
} else {
  const startedAtMs = performance.now()
  const result = await campaign({
    from: Number(values.seed),
    seeds: Number(values.seeds),
    onProgress: (done, bad) => {
      if (done % 10 === 0) process.stderr.write(`\r${done} of ${values.seeds} seeds, ${bad} with violations`)
    },
  })
  process.stderr.write('\n')
  const perSecond = Math.round((result.runs / (performance.now() - startedAtMs)) * 10_000) / 10
  finish({ ...result, perSecond }, result.violations.length + result.missing.length)
}

function finish(result: object, bad: number): void {
  process.stdout.write(`${JSON.stringify(result)}\n`)
  process.exitCode = bad > 0 ? 1 : 0
}
