/** What a node of Kafka for tests is told: its `server.properties`. What was found with it: docs/decisions/0019-kafka-services.md. */
import type { KafkaCertificates } from './kafka-certificates.ts'

/** The ports of one node. */
export interface Seat {
  readonly open: number
  readonly controller: number
  /** Where it asks for user and password; the port is taken only if there are users. */
  readonly password: number
  /** Where it speaks TLS only; the port is taken only if there is a certificate. */
  readonly secure: number
}

interface Node {
  readonly id: number
  readonly seat: Seat
  /** Of all nodes. */
  readonly seats: readonly Seat[]
  readonly data: string
  readonly users: Readonly<Record<string, string>>
  readonly certificates: KafkaCertificates | undefined
}

export function serverProperties(node: Node, settings: Readonly<Record<string, string>>): string {
  const all = {
    ...whoIsWho(node),
    ...whoMayEnter(node.users),
    ...whoIAm(node.certificates),
    ...copies(node.seats.length),
    ...SMALL_AND_QUICK,
    ...settings,
  }
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('')
}

/** Each node is broker and controller. */
function whoIsWho({ id, seat, seats, data, users, certificates }: Node): Record<string, string> {
  const doors = [`OPEN://127.0.0.1:${seat.open}`]
  if (Object.keys(users).length > 0) doors.push(`PASSWORD://127.0.0.1:${seat.password}`)
  if (certificates !== undefined) doors.push(`SECURE://127.0.0.1:${seat.secure}`)
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'log.dirs': data,
    listeners: [...doors, `CONTROLLER://127.0.0.1:${seat.controller}`].join(),
    'advertised.listeners': doors.join(),
    'listener.security.protocol.map': 'OPEN:PLAINTEXT,PASSWORD:SASL_PLAINTEXT,SECURE:SSL,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'OPEN',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': seats.map(({ controller }, voter) => `${voter}@127.0.0.1:${controller}`).join(),
  }
}

function whoMayEnter(users: Readonly<Record<string, string>>): Record<string, string> {
  const known = Object.entries(users).map(([name, password]) => ` user_${name}="${password}"`)
  if (known.length === 0) return {}
  const module = 'org.apache.kafka.common.security.plain.PlainLoginModule'
  return {
    'sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.password.plain.sasl.jaas.config': `${module} required${known.join('')};`,
  }
}

function whoIAm(certificates: KafkaCertificates | undefined): Record<string, string> {
  if (certificates === undefined) return {}
  const { keystore, password } = certificates
  return {
    'listener.name.secure.ssl.keystore.type': 'PKCS12',
    'listener.name.secure.ssl.keystore.location': keystore,
    'listener.name.secure.ssl.keystore.password': password,
    'listener.name.secure.ssl.key.password': password,
  }
}

/** On three nodes all is kept three times, and acknowledged when two have it: so that one may be lost. */
function copies(nodes: number): Record<string, string> {
  const factor = String(Math.min(nodes, 3))
  const inSync = nodes < 3 ? '1' : '2'
  return {
    'default.replication.factor': factor,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': factor,
    'transaction.state.log.replication.factor': factor,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': factor,
    'share.coordinator.state.topic.min.isr': inSync,
  }
}

const SMALL_AND_QUICK: Readonly<Record<string, string>> = {
  // Whoever forgets to make a topic is to hear of it.
  'auto.create.topics.enable': 'false',
  // A group's first member need not wait for a second: by default for 3 s.
  'group.initial.rebalance.delay.ms': '0',
  // Tests of dead members should not have to wait for the 6 s that are the least by default.
  'group.min.session.timeout.ms': '1000',
  // How soon a broker that was killed is known to be dead. Until then it may not come back either: by default for 9 s.
  'broker.session.timeout.ms': '3000',
  // A heartbeat that waits for half as long at the controller is dropped, and with it the wish to serve: on a busy machine shorter ones
  // can keep a broker out of service.
  'broker.heartbeat.interval.ms': '1000',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '1',
  'share.coordinator.state.topic.num.partitions': '1',
  // It would take 128 MB at the start.
  'log.cleaner.dedupe.buffer.size': '2097152',
  'num.network.threads': '2',
  'num.io.threads': '2',
  'background.threads': '2',
  'group.coordinator.threads': '1',
}
