/**
 * fauxqs on the port that it is given: `node server.mjs <port>`. Its own command listens on all addresses; this does not.
 * Plain JavaScript, since it is started from src and from dist alike.
 */
import { buildApp } from 'fauxqs'

// Not exported, as is nothing else by which a store is told that it has no host.
const { SqsStore } = await import(new URL('./sqs/sqsStore.js', import.meta.resolve('fauxqs')).href)
const sqsStore = new SqsStore()
// It would put queues at sqs.REGION.localhost, which many systems do not find, and clients that are told of the endpoint by their
// environment alone go where the URL of the queue says. Without a host of its own it takes the one that it was asked at.
sqsStore.host = undefined

const app = buildApp({ logger: false, stores: { sqsStore } })
await app.listen({ port: Number(process.argv[2]), host: '127.0.0.1' })
console.log('listening')
