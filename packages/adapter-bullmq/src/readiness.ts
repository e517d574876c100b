import type { Cluster, Redis } from 'ioredis'

/** Resolves when the client has a connection, rejects when it has none after so long, or at the stop. */
export function whenReady(client: Redis | Cluster, withinMs: number, stop: AbortSignal): Promise<void> {
  if (client.status === 'ready') return Promise.resolve()
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer)
      client.off('ready', ready)
      // Of a client that is closed while it waits to connect again, ioredis says nothing.
      stop.removeEventListener('abort', giveUp)
    }
    const ready = () => {
      done()
      resolve()
    }
    const giveUp = () => {
      done()
      reject(new Error(stop.aborted ? 'closed' : `no connection (${client.status}) within ${withinMs} ms`))
    }
    const timer = setTimeout(giveUp, withinMs)
    client.once('ready', ready)
    stop.addEventListener('abort', giveUp)
    if (stop.aborted) giveUp()
  })
}
