/** A worker on files that is killed as soon as its first entries are in Kafka, before it could note that. */
import { createFlow, InMemoryJobQueue } from '@baton/core'
import { BaseDistributedAdapter } from '@baton/core/adapter'
import { FileCoordinationStore, FileRunStore } from '@baton/store-file'
import { KafkaJournalSink } from '../../src/index.ts'

class Adapter extends BaseDistributedAdapter {}

const [directory = '', broker = '', topic = ''] = process.argv.slice(2)
const sink = new KafkaJournalSink({ client: { brokers: [broker] }, topic })
const flow = createFlow('mortal')
  .node('one', () => ({ output: 1 }))
  .node('two', ({ sleep }) => sleep(500))
  .edge('one', 'two')

new Adapter({
  store: new FileRunStore({ directory, redispatchMs: 1_000 }),
  queue: new InMemoryJobQueue(),
  coordinationStore: new FileCoordinationStore({ directory }),
  runtimeOptions: { flows: [flow] },
  sweepMs: 100,
  journalSink: {
    async publish(runId, entries) {
      await sink.publish(runId, entries)
      process.kill(process.pid, 'SIGKILL')
      await new Promise(() => {})
    },
    close: () => sink.close(),
  },
}).start()
