/**
 * fauxqs on the port that it is given: `node server.mjs <port>`. Its own command listens on all addresses; this does not.
 * Plain JavaScript, since it is started from src and from dist alike.
 */
import { buildApp } from 'fauxqs'

const app = buildApp({ logger: false })
await app.listen({ port: Number(process.argv[2]), host: '127.0.0.1' })
console.log('listening')
