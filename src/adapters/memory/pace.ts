// Pace is where the asynchrony of the memory adapters comes from: each request is handed over as a synchronous function,
// and the pace says when it is carried out and when, or whether, its answer arrives. The default is a perfect network;
// a simulation passes one that delays, drops and reorders (test/simulation/scheduler.ts).

/**
 * Carries out `apply` at a time of its choosing and answers with its result. `operation` is a kind and details, as in
 * "commit app-3". Rejects with what `apply` throws, with `TransientFault` for a request that never left, or with
 * `LostAnswer`: it was, will be, or never is carried out.
 */
export type Pace = <T>(operation: string, apply: () => T) => Promise<T>

/** Carries out at once and answers on a microtask. */
export const atOnce: Pace = async (_operation, apply) => apply()

/** No answer came: whether the request was carried out, or still will be, is not known. */
export class LostAnswer extends Error {
  override readonly name = 'LostAnswer'
}
