// A shop floor that speaks no JSON: a scanner tells texts under 8-byte keys, a camera gives pictures, a printer takes them.
// What the tests of formats run on either log.

const picture = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x00, 0xff])

export const formatCourse = {
  /** A parcel's number: no double can hold it. */
  number: '9007199254740993',
  key: bigEndian(9_007_199_254_740_993n),
  scan: 'SCAN;gate 7',
  picture,
  expectedScan: 'gate 7',
  workflow: (topic: (name: string) => string): string => `
workflow: parcel
topics:
  ${topic('scans')}: { format: string, keyFormat: long }
  ${topic('pictures')}: { format: bytes, keyFormat: long }
  ${topic('labels')}: { format: bytes, keyFormat: int }
  ${topic('events')}: { keyFormat: long }
start:
  - topic: ${topic('scans')}
    when: message.value != null
    input: { gate: "\${ message.value.split(';')[1] }", station: "\${ message.headers.station }" }
tasks:
  - name: photographed
    type: kafka-listener
    topic: ${topic('pictures')}
    correlate: { message: message.key, instance: instance.key }
  - { name: print, type: kafka-command, topic: ${topic('labels')}, key: 7, value: "\${ tasks.photographed.output }" }
  - { name: tell, type: kafka-command, topic: ${topic('events')}, value: { gate: "\${ input.gate }" } }
  - { name: forget, type: kafka-command, topic: ${topic('scans')}, value: null }
  - { name: shout, type: kafka-command, topic: ${topic('scans')}, key: 1, value: "\${ input }", onFailure: skip }
output: \${ input.gate }
`,
}

function bigEndian(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}
