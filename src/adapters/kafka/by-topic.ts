import type { Place } from './client.ts'

/** In requests partitions stand beneath their topics. */
export function byTopic<Placed extends Place>(
  placed: readonly Placed[],
): readonly { readonly name: string; readonly partitions: Placed[] }[] {
  const topics = new Map<string, { readonly name: string; readonly partitions: Placed[] }>()
  for (const one of placed) {
    const topic = topics.get(one.topic)
    if (topic === undefined) topics.set(one.topic, { name: one.topic, partitions: [one] })
    else topic.partitions.push(one)
  }
  return [...topics.values()]
}
