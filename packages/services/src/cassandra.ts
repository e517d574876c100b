/** A Cassandra of one node, for a contender of the benchmarks that keeps its state there. Baton has nothing to do with it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findArchives, type JavaServer, javaCommand } from './java.ts'
import { freePorts, isPortTaken, ServerProcess } from './server-process.ts'

const PORT_TRIES = 5

/** What it looks into inside of Java, which has been closed since 17: the list that it brings along for its own start script. */
const EXPORTS = [
  'java.base/java.lang.ref',
  'java.base/jdk.internal.misc',
  'java.base/jdk.internal.ref',
  'java.base/sun.nio.ch',
  'java.management.rmi/com.sun.jmx.remote.internal.rmi',
  'java.rmi/sun.rmi.registry',
  'java.rmi/sun.rmi.server',
  'java.sql/java.sql',
  'jdk.compiler/com.sun.tools.javac.file',
  'jdk.internal.jvmstat/sun.jvmstat.monitor',
  'jdk.unsupported/sun.misc',
]
const OPENS = [
  'java.base/java.io',
  'java.base/java.lang',
  'java.base/java.lang.module',
  'java.base/java.lang.reflect',
  'java.base/java.nio',
  'java.base/java.util',
  'java.base/java.util.concurrent',
  'java.base/java.util.concurrent.atomic',
  'java.base/jdk.internal.loader',
  'java.base/jdk.internal.math',
  'java.base/jdk.internal.misc',
  'java.base/jdk.internal.module',
  'java.base/jdk.internal.ref',
  'java.base/jdk.internal.reflect',
  'java.base/jdk.internal.util.jar',
  'java.base/sun.nio.ch',
  'jdk.management/com.sun.management.internal',
]

const CASSANDRA: JavaServer = {
  name: 'cassandra',
  main: 'org.apache.cassandra.service.CassandraDaemon',
  flags: [
    // It is measured, so it gets the compiler and the memory that it would have in production.
    '-Xms1g',
    '-Xmx1g',
    '-XX:TieredStopAtLevel=4',
    '-Djdk.attach.allowAttachSelf=true',
    ...EXPORTS.flatMap((name) => ['--add-exports', `${name}=ALL-UNNAMED`]),
    ...OPENS.flatMap((name) => ['--add-opens', `${name}=ALL-UNNAMED`]),
  ],
}

export interface CassandraService extends AsyncDisposable {
  /** `host:port` for clients. */
  readonly contactPoint: string
}

/** Starts one, or says why it cannot be had. */
export async function startCassandra(toFetch?: () => void): Promise<CassandraService | { readonly missing: string }> {
  const archives = await findArchives(CASSANDRA, toFetch)
  if ('missing' in archives) return archives
  for (let tries = 1; ; tries++) {
    const server = new ServerProcess('cassandra')
    const [storage = 0, native = 0] = await freePorts(2)
    try {
      await server.start({
        ...commandIn(server.folder, archives.folder, { storage, native }),
        ready: /listening for CQL/,
      })
      return { contactPoint: `127.0.0.1:${native}`, [Symbol.asyncDispose]: () => server.remove() }
    } catch (error) {
      await server.remove()
      if (tries < PORT_TRIES && isPortTaken(error)) continue
      throw error
    }
  }
}

interface Ports {
  readonly storage: number
  readonly native: number
}

function commandIn(folder: string, archives: string, ports: Ports) {
  writeFileSync(join(folder, 'cassandra.yaml'), settings(folder, ports))
  writeFileSync(join(folder, 'logback.xml'), LOGS)
  return javaCommand(CASSANDRA, archives, {
    'cassandra.config': `file://${join(folder, 'cassandra.yaml')}`,
    'logback.configurationFile': join(folder, 'logback.xml'),
    'cassandra.storagedir': folder,
    // Else it closes its stdout before it says that it is up.
    'cassandra-foreground': 'yes',
    // There is nobody to wait for.
    'cassandra.skip_wait_for_gossip_to_settle': '0',
    'cassandra.ring_delay_ms': '1',
  })
}

/** As it is by default, where a setting has one. */
function settings(folder: string, { storage, native }: Ports): string {
  return `cluster_name: bench
num_tokens: 1
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "127.0.0.1:${storage}"
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
storage_port: ${storage}
native_transport_port: ${native}
commitlog_sync: periodic
commitlog_sync_period: 10000ms
data_file_directories: [${join(folder, 'data')}]
commitlog_directory: ${join(folder, 'commitlog')}
saved_caches_directory: ${join(folder, 'caches')}
hints_directory: ${join(folder, 'hints')}
cdc_raw_directory: ${join(folder, 'cdc')}
`
}

const LOGS = `<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%level %msg%n</pattern></encoder></appender>
  <root level="WARN"><appender-ref ref="out"/></root>
  <logger name="org.apache.cassandra.transport" level="INFO"/>
</configuration>
`
