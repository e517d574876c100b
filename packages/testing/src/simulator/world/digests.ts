/** Digests are worked out on threads, in real time. No step is over before they are, or a seed would not decide everything. */
const { subtle } = globalThis.crypto
const digest = subtle.digest.bind(subtle)
let underWay = 0

subtle.digest = async (...args: Parameters<typeof digest>) => {
  underWay += 1
  try {
    return await digest(...args)
  } finally {
    underWay -= 1
  }
}

/** Resolves once nobody waits for one. */
export async function digestsDone(): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve))
  while (underWay > 0)
}
