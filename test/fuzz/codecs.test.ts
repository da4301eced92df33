import { fuzzes } from './in-tests.ts'

fuzzes('codecs', 'no bytes are decoded to what cannot be written, or refused as anything but damage', 2_000)
