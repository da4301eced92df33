// What a campaign comes to, and how its command tells it.

export interface CampaignResult {
  readonly runs: number
  readonly faults: number
  readonly violations: readonly string[]
  readonly coverage: { readonly [what: string]: number }
}

const shownMax = 20

/** One JSON line on stdout, the first violations on stderr; the process will exit with 1 where there is one. */
export function tell({ violations, ...result }: CampaignResult): void {
  for (const violation of violations.slice(0, shownMax)) console.error(violation)
  console.log(JSON.stringify({ ...result, violations: violations.length }))
  process.exitCode = violations.length === 0 ? 0 : 1
}
