// What a campaign comes to, and how its command tells it.

export interface CampaignOptions {
  readonly onProgress?: (text: string) => void
}

export interface CampaignResult {
  readonly runs: number
  readonly faults: number
  readonly violations: readonly string[]
  readonly coverage: { readonly [what: string]: number }
}

const shownMax = 20

/** One JSON line on stdout, with the first violations and how many there are beside; the process will exit with 1 where there is one. */
export function tell({ runs, faults, violations, coverage }: CampaignResult): void {
  const shown = violations.slice(0, shownMax)
  if (violations.length > shownMax) shown.push(`and ${violations.length - shownMax} more`)
  console.log(JSON.stringify({ runs, faults, violations: shown, coverage }))
  process.exitCode = violations.length === 0 ? 0 : 1
}
