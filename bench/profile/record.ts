// V8's own CPU profiler around a piece of work; the profile opens in Chrome's and VS Code's viewers.
import { Session, type Profiler } from 'node:inspector/promises'

/** Microseconds between samples: short enough for a run of a second, long enough not to be what is measured. */
const sampledEveryUs = 250

/** Runs `work` under the profiler; hands over the profile when it is done. */
export async function profiled<T>(work: () => Promise<T>, take: (profile: Profiler.Profile) => void): Promise<T> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: sampledEveryUs })
    await session.post('Profiler.start')
    const result = await work()
    const { profile } = await session.post('Profiler.stop')
    take(profile)
    return result
  } finally {
    session.disconnect()
  }
}
