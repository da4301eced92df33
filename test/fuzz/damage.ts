// What becomes of bytes on their way: cut off, changed, doubled, and lengths that claim what is not there.
import fc from 'fast-check'

/** A change of some bytes; the leading byte, which tells the layout, is left as it is. */
export type Damage = (whole: Uint8Array) => Uint8Array

const cut: fc.Arbitrary<Damage> = fc.nat().map((at) => (whole) => whole.slice(0, at % (whole.length + 1)))

const flips: fc.Arbitrary<Damage> = fc
  .array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
  .map((changes) => (whole) => {
    const hurt = Uint8Array.from(whole)
    for (const [at, byte] of changes) hurt[1 + (at % Math.max(1, hurt.length - 1))] = byte
    return hurt
  })

/** MessagePack that claims gigabytes, nests, points back at itself, or makes objects of its extensions. */
// oxfmt-ignore
const tokens = fc.constantFrom(
  [0xdd, 0xff, 0xff, 0xff, 0xff], [0xdd, 0x01, 0xff, 0xff, 0xff], [0xdc, 0xff, 0xff], [0xdf, 0xff, 0xff, 0xff, 0xff],
  [0xdb, 0xff, 0xff, 0xff, 0xff], [0xdb, 0x3f, 0xff, 0xff, 0xff], [0xc6, 0xff, 0xff, 0xff, 0xff], [0xc6, 0x40, 0, 0, 0],
  [0xc9, 0xff, 0xff, 0xff, 0xff, 0x74], [0xd4, 0x72, 0x40], [0xd4, 0x65, 0, 0x91, 0xa5], [0xd4, 0x78, 0, 0x92], [0xd4, 0x73, 0],
  [0xd6, 0x69, 0, 0, 0, 1], [0xd6, 0x70, 0, 0, 0, 1], [0xd5, 0x74, 8, 1], [0xd6, 0xff, 0xff, 0xff, 0xff, 0xff], [0xd6, 0x42, 1, 2, 3, 4],
  [0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0], [0xc0], [0xc1], [0xc2], [0xc3],
  [0x80], [0x81, 0xa9, ...Buffer.from('__proto__')], [0x90], [0xa0], [0x00], Array.from({ length: 3_000 }, () => 0x91),
)
const splices: fc.Arbitrary<Damage> = fc.tuple(fc.nat(), fc.nat(8), tokens).map(([at, skipped, token]) => (whole) => {
  const from = 1 + (at % Math.max(1, whole.length - 1))
  return Uint8Array.from([...whole.subarray(0, from), ...token, ...whole.subarray(from + skipped)])
})

export const damage: fc.Arbitrary<Damage> = fc.oneof(cut, flips, splices)

/** Bytes that nobody wrote. */
export const noise: fc.Arbitrary<Uint8Array> = fc
  .tuple(fc.array(tokens, { maxLength: 4 }), fc.uint8Array({ maxLength: 60 }))
  .map(([some, rest]) => Uint8Array.from([1, ...some.flat(), ...rest]))
