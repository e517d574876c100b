/**
 * Stands between a client and a server that plays AWS, and does what such servers never do: answers with the errors of AWS, answers
 * late, or loses an answer on its way. Counts what it is asked.
 */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ClientOptions, Emulator } from '@baton/services'
import type { AwsAnswer } from './answers.ts'

export type Fault =
  | { readonly type: 'answer'; readonly answer: AwsAnswer }
  /** It takes effect, and nobody hears of it. */
  | { readonly type: 'lost-answer' }
  /** It never arrives. */
  | { readonly type: 'lost-request' }
  /** It takes effect at once, and is answered later. */
  | { readonly type: 'slow-answer'; readonly ms: number }
  /** Of a batch for DynamoDB only the first takes effect, and the others come back, as where a partition is throttled. */
  | { readonly type: 'partly' }

export interface Asked {
  /** `PutItem`, `ReceiveMessage` … */
  readonly operation: string
  readonly body: string
  readonly atMs: number
}

interface Batch {
  readonly RequestItems: Readonly<Record<string, readonly unknown[] | { readonly Keys: readonly unknown[] }>>
}

export type Mischief = (asked: Asked, times: number) => Fault | undefined

export class FaultProxy implements AsyncDisposable {
  /** Each request, each try of a client on its own. */
  readonly asked: Asked[] = []
  /** What becomes of a request. Undefined: it is passed on. */
  mischief: Mischief | undefined
  readonly clientOptions: ClientOptions
  readonly #to: string
  readonly #server: Server

  private constructor(server: Server, { clientOptions, endpoint }: Emulator) {
    const { port } = server.address() as AddressInfo
    this.clientOptions = { ...clientOptions, endpoint: `http://127.0.0.1:${port}` }
    this.#to = endpoint
    this.#server = server
    server.on('request', (asked, answer) => void this.#serve(asked, answer))
  }

  static async before(emulator: Emulator): Promise<FaultProxy> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new FaultProxy(server, emulator)
  }

  /** @param after what was asked before this moment, by `performance.now()`, does not count */
  times(operation?: string, after = 0): number {
    return this.asked.filter((each) => each.atMs >= after && (operation ?? each.operation) === each.operation).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await textOf(incoming)
    const operation = String(incoming.headers['x-amz-target']).split('.').at(-1) ?? ''
    const asked = { operation, body, atMs: performance.now() }
    this.asked.push(asked)
    const fault = this.mischief?.(asked, this.times(operation))
    try {
      if (fault?.type === 'lost-request') incoming.socket.destroy()
      else if (fault?.type === 'answer') give(outgoing, fault.answer)
      else await this.#passOn(incoming, body, outgoing, fault)
    } catch {
      // The server is away, or the client has gone.
      incoming.socket.destroy()
    }
  }

  async #passOn(incoming: IncomingMessage, body: string, outgoing: ServerResponse, fault: Fault | undefined) {
    if (fault?.type === 'partly') return this.#passOnFirst(incoming, JSON.parse(body), outgoing)
    const answer = await this.#ask(incoming, body)
    const text = await textOf(answer)
    if (fault?.type === 'lost-answer') return incoming.socket.destroy()
    if (fault?.type === 'slow-answer') await new Promise((resolve) => setTimeout(resolve, fault.ms))
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers).end(text)
  }

  async #passOnFirst(incoming: IncomingMessage, { RequestItems, ...others }: Batch, outgoing: ServerResponse) {
    const [[table, all] = ['', []]] = Object.entries(RequestItems)
    const isWrite = !('Keys' in all)
    const [first, ...rest] = isWrite ? all : all.Keys
    const asBatch = (items: readonly unknown[]) => ({ [table]: isWrite ? items : { ...all, Keys: items } })
    const answer = await this.#ask(incoming, JSON.stringify({ ...others, RequestItems: asBatch([first]) }))
    const done = JSON.parse(await textOf(answer)) as object
    const left = rest.length === 0 ? {} : { [isWrite ? 'UnprocessedItems' : 'UnprocessedKeys']: asBatch(rest) }
    const { date = '' } = answer.headers
    outgoing.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', date })
    outgoing.end(JSON.stringify({ ...done, ...left }))
  }

  #ask({ method = 'POST', url = '/', headers }: IncomingMessage, body: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const whole = { ...headers, 'content-length': Buffer.byteLength(body) }
      request(new URL(url, this.#to), { method, headers: whole }, resolve).on('error', reject).end(body)
    })
  }
}

function give(outgoing: ServerResponse, { status, headers, body }: AwsAnswer): void {
  outgoing.writeHead(status, headers).end(body)
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
