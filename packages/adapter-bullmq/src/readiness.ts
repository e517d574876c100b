import type { Cluster, Redis } from 'ioredis'

/** Resolves when the client has a connection, rejects when it has none after so long. */
export function whenReady(client: Redis | Cluster, withinMs: number): Promise<void> {
  if (client.status === 'ready') return Promise.resolve()
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer)
      client.off('ready', ready)
    }
    const ready = () => {
      done()
      resolve()
    }
    const timer = setTimeout(() => {
      done()
      reject(new Error(`no connection (${client.status}) within ${withinMs} ms`))
    }, withinMs)
    client.once('ready', ready)
  })
}
