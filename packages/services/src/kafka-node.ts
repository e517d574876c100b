/** One node of Kafka: its folder, its ports, and the process that is started, killed and started again on them. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type JavaServer, javaCommand } from './java.ts'
import type { KafkaCertificates } from './kafka-certificates.ts'
import { type Seat, serverProperties } from './kafka-settings.ts'
import { freePorts, isPortTaken, ServerProcess } from './server-process.ts'

const run = promisify(execFile)

export const KAFKA: JavaServer = { name: 'kafka', main: 'kafka.Kafka' }
const STORAGE_TOOL = 'kafka.tools.StorageTool'

// The same for all: no two clusters of ours ever meet.
const CLUSTER_ID = 'YmF0b24tdGVzdC1rYWZrYQ'
const FORMAT_WITHIN_MS = 60_000
const PORT_TRIES = 5

const SAYS_LITTLE = {
  'org.slf4j.simpleLogger.defaultLogLevel': 'warn',
  // The one that says that it is up.
  'org.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer': 'info',
}

interface NodeOptions {
  readonly users: Readonly<Record<string, string>>
  readonly settings: Readonly<Record<string, string>>
  readonly certificates?: KafkaCertificates | undefined
  /** The folder with the archives. */
  readonly archives: string
  /** What its virtual machine is told besides. */
  readonly flags: readonly string[]
}

/** Starts as many, which are one cluster. */
export async function startNodes(count: number, options: NodeOptions): Promise<readonly KafkaNode[]> {
  for (let tries = 1; ; tries++) {
    const seats = await freeSeats(count)
    const nodes = seats.map((_, id) => new KafkaNode(id, seats, options))
    try {
      await Promise.all(nodes.map((node) => node.format()))
      // At once, since each waits for most of the others.
      await Promise.all(nodes.map((node) => node.start()))
      return nodes
    } catch (error) {
      await Promise.all(nodes.map(({ server }) => server.remove()))
      if (tries < PORT_TRIES && isPortTaken(error)) continue
      throw error
    }
  }
}

async function freeSeats(count: number): Promise<readonly Seat[]> {
  const ports = await freePorts(4 * count)
  return Array.from({ length: count }, (_, id) => {
    const [open = 0, password = 0, secure = 0, controller = 0] = ports.slice(4 * id)
    return { open, password, secure, controller }
  })
}

export class KafkaNode {
  readonly server = new ServerProcess('kafka')
  readonly seat: Seat
  readonly #properties = join(this.server.folder, 'server.properties')
  readonly #archives: string
  readonly #flags: readonly string[]

  constructor(id: number, seats: readonly Seat[], { users, settings, certificates, archives, flags }: NodeOptions) {
    const seat = seats[id]
    if (seat === undefined) throw new Error(`node ${id} has no seat`)
    this.seat = seat
    this.#archives = archives
    this.#flags = flags
    const data = join(this.server.folder, 'data')
    writeFileSync(this.#properties, serverProperties({ id, seat, seats, data, users, certificates }, settings))
  }

  /** Makes its folder one that a broker takes: once, before the first start. */
  async format(): Promise<void> {
    const { command, args } = this.#java(STORAGE_TOOL, 'format', '-t', CLUSTER_ID, '-c', this.#properties)
    await run(command, args, { timeout: FORMAT_WITHIN_MS })
  }

  /** Resolves when it serves. In a cluster that takes most of the nodes. */
  start(): Promise<void> {
    return this.server.start({ ...this.#java(KAFKA.main, this.#properties), ready: /Kafka Server started/ })
  }

  #java(main: string, ...args: readonly string[]): ReturnType<typeof javaCommand> {
    return javaCommand({ ...KAFKA, main, flags: this.#flags }, this.#archives, SAYS_LITTLE, args)
  }
}
