import type { Random } from './random.ts'

/** What goes wrong with requests to the network; probabilities of each request, independent of each other. */
export interface FaultPlan {
  /** Refused before it is carried out: the client gets a TransientFault. */
  readonly transientError: number
  /** Carried out, and the client gets a LostAnswer. */
  readonly lostAnswer: number
  /** The client gets a LostAnswer first, and the request is carried out some time later. */
  readonly lateRequest: number
  /** Held back for up to `delayMsMax` of virtual time. */
  readonly delay: number
  readonly delayMsMax: number
  /** That a request which is on the wire when its process dies still arrives. */
  readonly arrivesAfterCrash: number
  /** Which operations are touched; all where it is not given. */
  readonly touches?: (operation: string) => boolean
}

/** A network that does what it is asked, but may deliver what a dead process had sent. */
export const noFaults: FaultPlan = {
  transientError: 0,
  lostAnswer: 0,
  lateRequest: 0,
  delay: 0,
  delayMsMax: 0,
  arrivesAfterCrash: 0.5,
}

/** A bad day: everything happens now and then. */
export const roughNetwork: FaultPlan = {
  transientError: 0.02,
  lostAnswer: 0.02,
  lateRequest: 0.02,
  delay: 0.1,
  delayMsMax: 2_000,
  arrivesAfterCrash: 0.5,
}

/** The network of a seed: a bad day; with no generator a good one. */
export function drawNetwork(random: Random | undefined): FaultPlan {
  return random === undefined ? noFaults : roughNetwork
}
