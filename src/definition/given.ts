/** `{ [key]: value }`, or nothing where there is no value: absent keys stay absent under exactOptionalPropertyTypes. */
export function given<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [key in Key]?: Value }
export function given(key: string, value: unknown): object {
  return value === undefined ? {} : { [key]: value }
}
