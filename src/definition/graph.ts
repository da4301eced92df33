// Dependencies as a graph: nodes by name, each with the names that it depends on. Names that are no node are passed over.

export type Graph = ReadonlyMap<string, readonly string[]>

/** Nodes in an order in which every one comes after what it depends on; what lies on or behind a cycle is left out. */
export function topologicalOrder(graph: Graph): readonly string[] {
  const waitingFor = new Map<string, number>()
  for (const [name, dependencies] of graph)
    waitingFor.set(name, dependencies.filter((other) => graph.has(other)).length)
  const dependents = dependentsOf(graph)
  const order = [...graph.keys()].filter((name) => waitingFor.get(name) === 0)
  for (let next = 0; next < order.length; next++) {
    for (const dependent of dependents.get(order[next]!) ?? []) {
      const left = waitingFor.get(dependent)! - 1
      waitingFor.set(dependent, left)
      if (left === 0) order.push(dependent)
    }
  }
  return order
}

/** The reverse of the graph: who depends on each node, in the order of the nodes. */
export function dependentsOf(graph: Graph): ReadonlyMap<string, readonly string[]> {
  const dependents = new Map<string, string[]>()
  for (const name of graph.keys()) dependents.set(name, [])
  for (const [name, dependencies] of graph) {
    for (const dependency of dependencies) dependents.get(dependency)?.push(name)
  }
  return dependents
}

/** One cycle for each knot of the graph, as the names along it in the direction of `dependsOn`; empty where there is none. */
export function findCycles(graph: Graph): readonly (readonly string[])[] {
  const left = new Set(graph.keys())
  for (const name of topologicalOrder(graph)) left.delete(name)
  const cycles: string[][] = []
  for (const start of graph.keys()) {
    const walk: string[] = []
    let at: string | undefined = start
    // Everything that is left depends on something that is left: the walk ends on its own tail or on a cycle already told.
    while (at !== undefined && left.has(at) && !walk.includes(at)) {
      walk.push(at)
      at = graph.get(at)?.find((name) => left.has(name))
    }
    if (at !== undefined && walk.includes(at)) cycles.push(walk.slice(walk.indexOf(at)))
    for (const name of walk) left.delete(name)
  }
  return cycles
}
