import type { Cluster, Redis } from 'ioredis'
import { redisMessageOf } from './errors.ts'

/** Resolves when the client has a connection, rejects when it has none after so long, with what kept it from it, or at the stop. */
export function whenReady(client: Redis | Cluster, withinMs: number, stop: AbortSignal): Promise<void> {
  if (client.status === 'ready') return Promise.resolve()
  return new Promise((resolve, reject) => {
    let failure: unknown
    const failed = (error: unknown) => {
      failure = error
    }
    const done = () => {
      clearTimeout(timer)
      client.off('error', failed)
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
      if (stop.aborted) return reject(new Error('closed'))
      const why = failure === undefined ? client.status : redisMessageOf(failure)
      reject(new Error(`no connection within ${withinMs} ms (${why})`, { cause: failure }))
    }
    const timer = setTimeout(giveUp, withinMs)
    client.on('error', failed)
    client.once('ready', ready)
    stop.addEventListener('abort', giveUp)
    if (stop.aborted) giveUp()
  })
}
