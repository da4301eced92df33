import type { Random } from './random.ts'

/** What goes wrong with requests to the network; probabilities of each request, independent of each other. */
export interface FaultPlan {
  /** Refused before it is carried out: the client gets a TransientFault. */
  readonly transientError: number
  /** Carried out, and the client gets a LostAnswer. */
  readonly lostAnswer: number
  /** The client gets a LostAnswer first, and the request is carried out some time later. */
  readonly lateRequest: number
  /** Carried out twice: its client asked again, and both arrived. */
  readonly repeatedRequest: number
  /** Held back for up to `delayMsMax` of virtual time. */
  readonly delay: number
  readonly delayMsMax: number
  /** That a request which is on the wire when its process dies still arrives. */
  readonly arrivesAfterCrash: number
  /** How long the markers of a decided transaction may take to reach each partition. */
  readonly markerDelayMsMax: number
  /** Which operations are touched; all where it is not given. */
  readonly touches?: (operation: string) => boolean
}

/** A network that does what it is asked, but may deliver what a dead process had sent. */
export const noFaults: FaultPlan = {
  transientError: 0,
  lostAnswer: 0,
  lateRequest: 0,
  repeatedRequest: 0,
  delay: 0,
  delayMsMax: 0,
  arrivesAfterCrash: 0.5,
  markerDelayMsMax: 0,
}

/** A bad day: everything happens now and then. */
export const roughNetwork: FaultPlan = {
  transientError: 0.02,
  lostAnswer: 0.02,
  lateRequest: 0.02,
  repeatedRequest: 0.02,
  delay: 0.1,
  delayMsMax: 2_000,
  arrivesAfterCrash: 0.5,
  markerDelayMsMax: 100,
}

/** The kinds of faults that befall single requests, as they are counted. */
export const requestFaultKinds = [
  'refused',
  'given-up',
  'lost',
  'repeated',
  'overtaken',
  'delayed',
  'late-marker',
] as const

/** The network of a seed: some kinds of faults, each at a rate of its own; with no generator none. */
export function drawNetwork(random: Random | undefined): FaultPlan {
  if (random === undefined) return noFaults
  // Both are drawn in any case: a kind that is left out does not shift the others.
  const rate = (max: number): number => {
    const [isOn, part] = [random.chance(0.5), random.next()]
    return isOn ? max * part : 0
  }
  return {
    transientError: rate(0.06),
    lostAnswer: rate(0.06),
    lateRequest: rate(0.06),
    repeatedRequest: rate(0.1),
    delay: rate(0.3),
    delayMsMax: random.pick([100, 2_000, 8_000]),
    arrivesAfterCrash: random.next(),
    markerDelayMsMax: random.pick([0, 10, 500, 5_000]),
  }
}
