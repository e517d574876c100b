/**
 * A Kafka for tests: the one that `BATON_TEST_KAFKA_URL` names, else a node or a cluster of our own on free ports, else the
 * reason why there is none. How it is set, and what a client meets: docs/decisions/0019-kafka-services.md.
 */
import { findArchives, lackOf } from './java.ts'
import { type KafkaCertificates, kafkaCertificates } from './kafka-certificates.ts'
import { classArchive } from './kafka-classes.ts'
import { KAFKA, type KafkaNode, startNodes } from './kafka-node.ts'
import { fromVariable, missing } from './wanted.ts'

const URL_VARIABLE = 'BATON_TEST_KAFKA_URL'

export interface KafkaOptions {
  /** How many nodes, each of them broker and controller. Three may lose one, and serve on. */
  readonly nodes?: number
  /** Users and their passwords, letters and digits: whom `passwordBrokers` let in, by SASL/PLAIN. */
  readonly users?: Readonly<Record<string, string>>
  /** Whether there are `secureBrokers`, which speak TLS only, with a certificate that `authority` has signed. */
  readonly tls?: boolean
  /** More settings of the server, or other ones. */
  readonly settings?: Readonly<Record<string, string>>
}

/** For whoever waits: a first start takes half a minute, all later ones a few seconds. */
export type Progress = (what: string) => void

/**
 * Starts or finds one. A test that wants to kill its Kafka, or to set it, gets one of its own; others may share the one
 * of the variable, so each makes topics and groups of its own. Disposing ends what was started.
 */
export async function startKafka(options: KafkaOptions = {}, say: Progress = () => {}): Promise<KafkaService> {
  const given = fromVariable(URL_VARIABLE)
  if (given !== undefined && Object.keys(options).length === 0) return new KafkaService({ given })
  const archives = await findArchives(KAFKA, () => say('Maven fetches Kafka, 44 MB, this once'))
  if ('missing' in archives) {
    return new KafkaService({ missing: missing('kafka', `there is no Kafka here: ${archives.missing}`, URL_VARIABLE) })
  }
  const { nodes: count = 1, users = {}, settings = {}, tls = false } = options
  const toArchive = () => say('Kafka notes which classes it loads, this once, so that it starts sooner from now on')
  const flags = [`-XX:SharedArchiveFile=${await classArchive(archives, toArchive)}`]
  const certificates = tls ? await kafkaCertificates() : undefined
  say('Kafka is starting')
  const nodes = await startNodes(count, { users, settings, certificates, archives: archives.folder, flags })
  return new KafkaService({ nodes, certificates })
}

/** What this machine lacks to start one, and how to get it; looked up in a moment, with nothing fetched. */
export async function lackOfKafka(): Promise<string | undefined> {
  return fromVariable(URL_VARIABLE) === undefined ? lackOf(KAFKA) : undefined
}

type Source =
  | { readonly given: string }
  | { readonly missing: string }
  // By their numbers, which are also the ones that Kafka has for them.
  | { readonly nodes: readonly KafkaNode[]; readonly certificates: KafkaCertificates | undefined }

export class KafkaService implements AsyncDisposable {
  /** Why there is none, and how to get one; for `describe.skipIf`. */
  readonly skipReason: string | undefined
  readonly #source: Source

  constructor(source: Source) {
    this.#source = source
    this.skipReason = 'missing' in source ? source.missing : undefined
  }

  /** Whether it was started here, and ends with us. */
  get isOwn(): boolean {
    return 'nodes' in this.#source
  }

  /** `host:port` of each node: where a client may begin. */
  get brokers(): readonly string[] {
    if ('given' in this.#source) return this.#source.given.replace(/^kafka:\/\//, '').split(',')
    return this.#own.map(({ seat }) => `127.0.0.1:${seat.open}`)
  }

  /** The same nodes, at the ports that ask for user and password. */
  get passwordBrokers(): readonly string[] {
    return this.#own.map(({ seat }) => `127.0.0.1:${seat.password}`)
  }

  /** The same nodes, at the ports that speak TLS. */
  get secureBrokers(): readonly string[] {
    return this.#own.map(({ seat }) => `127.0.0.1:${seat.secure}`)
  }

  /** Who has signed the certificate of the brokers, as text: PEM. */
  get authority(): string {
    const certificates = 'certificates' in this.#source ? this.#source.certificates : undefined
    if (certificates === undefined) throw new Error('it was started without tls')
    return certificates.authority
  }

  /** Ends a node in the middle of whatever it does. */
  kill(node = 0): Promise<void> {
    return this.#node(node).server.kill()
  }

  /** Lets a node end by itself: it hands over what it leads, and takes its leave. */
  stop(node = 0): Promise<void> {
    return this.#node(node).server.stop()
  }

  /** Starts a node again that was killed or stopped, on the same ports, with what it has on disk. */
  restart(node = 0): Promise<void> {
    return this.#node(node).start()
  }

  /** A node that is there and does not answer. */
  freeze(node = 0): void {
    this.#node(node).server.freeze()
  }

  thaw(node = 0): void {
    this.#node(node).server.thaw()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if ('nodes' in this.#source) await Promise.all(this.#source.nodes.map(({ server }) => server.remove()))
  }

  get #own(): readonly KafkaNode[] {
    if ('nodes' in this.#source) return this.#source.nodes
    throw new Error(this.skipReason ?? 'it is not a Kafka of our own')
  }

  #node(index: number): KafkaNode {
    const node = this.#own[index]
    if (node === undefined) throw new Error(`there is no Kafka node ${index} of our own`)
    return node
  }
}
