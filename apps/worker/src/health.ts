/** `GET /health`: for whoever decides whether this process gets work, and whether it is to be replaced. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mistake } from '@baton/compose'
import { messageOf } from '@baton/core/adapter'

export interface Health {
  /** All but `ok` is answered with 503. */
  readonly status: 'starting' | 'ok' | 'stopping'
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
    const code = !isHealth ? 404 : health.status === 'ok' ? 200 : 503
    response.writeHead(code, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(request.method === 'HEAD' ? undefined : JSON.stringify(isHealth ? health : { error: 'GET /health' }))
  })
  await listen(server, port, host)
  const bound = server.address() as AddressInfo
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return { url: `http://${name}:${bound.port}/health`, close: () => close(server) }
}

/** What the system says when the address is the trouble, and not the port. */
const HOST_CODES: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'EINVAL',
])

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const [field, hint] = HOST_CODES.has(error.code ?? '')
        ? ['BATON_HEALTH_HOST', 'Name an address of this machine: 0.0.0.0 for all, or leave it out for 127.0.0.1.']
        : ['BATON_HEALTH_PORT', 'Choose another port, 0 for any that is free, or leave it out for no endpoint.']
      reject(mistake(field, `cannot listen on ${host}:${port}: ${messageOf(error)}`, hint))
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
