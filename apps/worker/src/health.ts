/** `GET /health`: for whoever decides whether this process gets work, and whether it is to be replaced. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { messageOf, mistake } from '@baton/compose'

export interface Health {
  /** `stopping` is answered with 503. */
  readonly status: 'ok' | 'stopping'
  readonly workerId: string
  /** Node instances that run at the moment. */
  readonly running: number
  readonly uptimeMs: number
  readonly stopping: boolean
}

export interface HealthServer {
  readonly url: string
  close(): Promise<void>
}

export async function serveHealth(
  { port, host }: { readonly port: number; readonly host: string },
  look: () => Health,
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const isHealth = request.url?.split('?')[0] === '/health' && (request.method === 'GET' || request.method === 'HEAD')
    const health = look()
    const code = !isHealth ? 404 : health.stopping ? 503 : 200
    response.writeHead(code, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(request.method === 'HEAD' ? undefined : JSON.stringify(isHealth ? health : { error: 'GET /health' }))
  })
  await listen(server, port, host)
  const bound = server.address() as AddressInfo
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return { url: `http://${name}:${bound.port}/health`, close: () => close(server) }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const hint = 'Choose another port, 0 for any that is free, or leave BATON_HEALTH_PORT out for no endpoint.'
      reject(mistake('BATON_HEALTH_PORT', `cannot listen on ${host}:${port}: ${messageOf(error)}`, hint))
    })
    server.listen(port, host, resolve)
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    // A prober that keeps its connection open must not keep the process.
    server.closeAllConnections()
  })
}
