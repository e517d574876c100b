/**
 * A Redis for tests: the one that `BATON_TEST_REDIS_URL` names, else a server of our own on a free port, else the reason
 * why there is none.
 */
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort, ServerProcess } from './server-process.ts'
import { howToGet, isOnPath, isRequired } from './wanted.ts'

const run = promisify(execFile)

const URL_VARIABLE = 'BATON_TEST_REDIS_URL'
const PORT_TRIES = 5
const SLOTS = 16_384
const CLUSTER_WITHIN_MS = 30_000

export interface RedisOptions {
  /** Keep every write in a file, synced each time, so that what was acknowledged survives `kill()`. */
  readonly appendOnly?: boolean
  /** A cluster of this many nodes without replicas, at least three. */
  readonly cluster?: number
  /** More settings of the server, without their dashes. */
  readonly settings?: Readonly<Record<string, string>>
}

/**
 * Starts or finds one. A test that wants to kill its Redis, or to set it, gets one of its own; others may share the one
 * of the variable, so each keeps to a prefix. Disposing ends what was started.
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisService> {
  const given = process.env[URL_VARIABLE] ?? ''
  if (given !== '' && Object.keys(options).length === 0) return new RedisService([], given)
  if (!isOnPath('redis-server')) {
    const reason = howToGet('redis-server', 'redis-server', URL_VARIABLE)
    if (isRequired('redis')) throw new Error(`BATON_REQUIRE_SERVICES asks for redis, but ${reason}`)
    return new RedisService([], undefined, reason)
  }
  const nodes: RedisNode[] = []
  const service = new RedisService(nodes)
  try {
    for (let index = 0; index < (options.cluster ?? 1); index++) nodes.push(await RedisNode.start(options))
    if (options.cluster !== undefined) await formCluster(nodes)
    return service
  } catch (error) {
    await service[Symbol.asyncDispose]()
    throw error
  }
}

export class RedisService implements AsyncDisposable {
  /** Why there is none, and how to get one; for `describe.skipIf`. */
  readonly skipReason: string | undefined
  readonly #nodes: readonly RedisNode[]
  readonly #given: string | undefined

  constructor(nodes: readonly RedisNode[], given?: string, skipReason?: string) {
    this.#nodes = nodes
    this.#given = given
    this.skipReason = skipReason
  }

  /** Of the first node. */
  get url(): string {
    return this.#given ?? this.#node(0).url
  }

  /** Of all nodes of a cluster. */
  get ports(): readonly number[] {
    return this.#nodes.map(({ port }) => port)
  }

  /** Ends a server in the middle of whatever it does. */
  kill(node = 0): Promise<void> {
    return this.#node(node).server.kill()
  }

  /** Starts a server that was killed again, on the same port, with what it has on disk. */
  restart(node = 0): Promise<void> {
    return this.#node(node).restart()
  }

  /** A server that is there and does not answer. */
  freeze(node = 0): void {
    this.#node(node).server.freeze()
  }

  thaw(node = 0): void {
    this.#node(node).server.thaw()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map(({ server }) => server.remove()))
  }

  #node(index: number): RedisNode {
    const node = this.#nodes[index]
    if (node === undefined) throw new Error(this.skipReason ?? `there is no Redis node ${index} of our own`)
    return node
  }
}

class RedisNode {
  readonly server: ServerProcess
  readonly port: number
  readonly #settings: Readonly<Record<string, string>>

  private constructor(server: ServerProcess, port: number, settings: Readonly<Record<string, string>>) {
    this.server = server
    this.port = port
    this.#settings = settings
  }

  static async start({ appendOnly = false, cluster, settings }: RedisOptions): Promise<RedisNode> {
    const server = new ServerProcess('redis')
    for (let tries = 1; ; tries++) {
      const port = await freePort()
      const bus = cluster === undefined ? {} : { 'cluster-enabled': 'yes', 'cluster-port': String(await freePort()) }
      const node = new RedisNode(server, port, {
        bind: '127.0.0.1',
        port: String(port),
        save: '',
        appendonly: appendOnly ? 'yes' : 'no',
        appendfsync: 'always',
        ...bus,
        ...settings,
      })
      try {
        await node.restart()
        return node
      } catch (error) {
        if (tries < PORT_TRIES) continue
        await server.remove()
        throw error
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  restart(): Promise<void> {
    const args = Object.entries(this.#settings).flatMap(([name, value]) => [`--${name}`, value])
    return this.server.start({ command: 'redis-server', args, ready: /Ready to accept connections/ })
  }

  async ask(...words: readonly string[]): Promise<string> {
    const { stdout } = await run('redis-cli', ['-p', String(this.port), ...words])
    if (/^(ERR|MOVED|CLUSTERDOWN)/.test(stdout)) throw new Error(`redis-cli ${words.join(' ')}: ${stdout.trim()}`)
    return stdout
  }
}

/** Deals the slots out, introduces the nodes to each other, and waits until all of them know all slots. */
async function formCluster(nodes: readonly RedisNode[]): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    const from = Math.floor((index * SLOTS) / nodes.length)
    const to = Math.floor(((index + 1) * SLOTS) / nodes.length) - 1
    await node.ask('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to))
    await node.ask('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
  }
  const first = nodes[0]
  for (const node of nodes.slice(1)) {
    const bus = (await node.ask('CONFIG', 'GET', 'cluster-port')).trim().split('\n')[1]
    await first?.ask('CLUSTER', 'MEET', '127.0.0.1', String(node.port), String(bus))
  }
  const untilMs = Date.now() + CLUSTER_WITHIN_MS
  for (const node of nodes) {
    for (;;) {
      const info = await node.ask('CLUSTER', 'INFO')
      if (/cluster_state:ok/.test(info) && info.includes(`cluster_known_nodes:${nodes.length}`)) break
      if (Date.now() > untilMs) throw new Error(`the cluster was not formed: ${info}`)
      await sleep(50)
    }
  }
}
