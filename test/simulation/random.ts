// A small seeded generator (sfc32, seeded by a hash of text). Streams are named: what one part of the simulation draws
// does not shift what another draws, so a change in one place keeps the rest of a seed's story.

export interface Random {
  /** In [0, 1). */
  next(): number
  /** An integer in [0, below). */
  int(below: number): number
  chance(probability: number): boolean
  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T
  /** A generator of its own, known by its name: independent of what was drawn here. */
  stream(name: string): Random
}

export function createRandom(seed: number | string): Random {
  const name = String(seed)
  let [a, b, c, d] = hash(name)

  function next(): number {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 4_294_967_296
  }
  // The first numbers after seeding still show the seed.
  for (let warmUp = 0; warmUp < 12; warmUp++) next()

  return {
    next,
    int: (below) => Math.floor(next() * below),
    chance: (probability) => next() < probability,
    pick: (list) => list[Math.floor(next() * list.length)]!,
    stream: (stream) => createRandom(`${name}/${stream}`),
  }
}

/** Four 32-bit words of a text: FNV-1a from four starts, each finished by murmur3's mixer. */
function hash(text: string): [number, number, number, number] {
  const words = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 0xc2b2ae35].map((start) => {
    let word = start
    for (let at = 0; at < text.length; at++) word = Math.imul(word ^ text.charCodeAt(at), 0x01000193)
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
    return word ^ (word >>> 16)
  })
  return [words[0]!, words[1]!, words[2]!, words[3]!]
}
