/** What JSON can say. Objects from strangers are read by own properties only. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
