/** Taken before anybody can put something of their own in their place, as fake timers of test runners do. */
const { setImmediate, setTimeout, performance } = globalThis

/** Lets everything go on that waits for nothing but its turn. */
export function realTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

/** Gives something real, such as an answer of the network, a moment to come. */
export function realMoment(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 1))
}

export function realNowMs(): number {
  return performance.now()
}
