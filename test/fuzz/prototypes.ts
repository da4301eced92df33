// What every object inherits from: an input that adds to it or changes it has reached all of the program.
import assert from 'node:assert/strict'

const watched: readonly object[] = [
  Object.prototype,
  Array.prototype,
  String.prototype,
  Number.prototype,
  Boolean.prototype,
  Function.prototype,
  Map.prototype,
  Set.prototype,
  Promise.prototype,
  Date.prototype,
  RegExp.prototype,
  Error.prototype,
  Uint8Array.prototype,
  Object,
  Array,
  JSON,
  Reflect,
]

type Descriptors = ReadonlyMap<PropertyKey, PropertyDescriptor>

/** A picture of the built-in prototypes, to hold them against later. */
export class Prototypes {
  readonly #before: readonly Descriptors[] = watched.map(descriptorsOf)
  readonly #parents: readonly unknown[] = watched.map((object) => Object.getPrototypeOf(object))

  /** A look that is cheap enough for every input: nothing was added or removed. */
  checkKeys(): void {
    for (const [index, object] of watched.entries()) {
      const { size } = this.#before[index]!
      assert.equal(Reflect.ownKeys(object).length, size, `${nameOf(object)} has other properties than before`)
    }
  }

  /** Every property is what it was. */
  check(): void {
    for (const [index, object] of watched.entries()) {
      const before = this.#before[index]!
      const now = descriptorsOf(object)
      for (const key of new Set([...before.keys(), ...now.keys()])) {
        const is = now.get(key)
        const was = before.get(key)
        const isSame =
          is !== undefined &&
          was !== undefined &&
          is.value === was.value &&
          is.get === was.get &&
          is.set === was.set &&
          is.writable === was.writable
        assert.ok(isSame, `${nameOf(object)}.${String(key)} is not what it was`)
      }
      assert.ok(
        Object.getPrototypeOf(object) === this.#parents[index],
        `${nameOf(object)} inherits from another object`,
      )
    }
  }
}

function descriptorsOf(object: object): Descriptors {
  return new Map(Reflect.ownKeys(object).map((key) => [key, Object.getOwnPropertyDescriptor(object, key)!]))
}

function nameOf(object: object): string {
  if (typeof object === 'function' && object !== Function.prototype) return object.name
  return object === JSON ? 'JSON' : object === Reflect ? 'Reflect' : `${object.constructor.name}.prototype`
}
