/** Where the demo's jobs are, if not with its store: in a Kafka that is named, or started for it. */
import { checkPorts, maskedUrl } from '@baton/compose'
import { lackOfKafka, startKafka } from '@baton/services'
import { Mistake } from './mistake.ts'
import type { DemoPlace } from './places.ts'
import { seconds } from './screen.ts'

const EXAMPLE = 'BATON_QUEUE=kafka://host:9092/topic'
/** Who waits for a server is told that it goes on. */
const STILL_AT_IT_MS = 5_000
/** Where no topic is named: the demo's workers know one flow, so they take nobody else's jobs. */
const TOPIC = 'baton-demo'

/** Throws a `Mistake` where there can be none: before anything is started, and nothing is written. */
export async function checkKafka(): Promise<void> {
  const url = given()
  if (url === undefined) {
    const lack = await lackOfKafka()
    if (lack === undefined) return
    const [what = lack, get = ''] = lack.split(/: (.*)/s)
    throw new Mistake(`There is no Kafka, and none can be started: ${what}`, `${capital(get)}, or set ${EXAMPLE}.`)
  }
  if (!/^kafka:/i.test(url)) {
    const hint = `Set it to kafka://…, or leave it out: then a Kafka is started for the demo.`
    throw new Mistake(`BATON_QUEUE=${maskedUrl(url)} is no Kafka`, hint)
  }
  const [found] = await checkPorts({ BATON_STORE: 'memory:', BATON_QUEUE: url })
  if (found !== undefined) throw new Mistake(found.message.replaceAll('\n', ' '), found.hint)
}

/** @param say a line for the person who waits: the first time Kafka is fetched */
export async function openKafka(say: (line: string) => void): Promise<DemoPlace> {
  const url = given()
  if (url === undefined) return ownKafka(say)
  const shown = maskedUrl(url)
  const env = { BATON_QUEUE: url }
  return { env, told: `Their jobs are on ${shown}.`, shown: `BATON_QUEUE='${shown}'`, close: async () => {} }
}

async function ownKafka(say: (line: string) => void): Promise<DemoPlace> {
  const fromMs = performance.now()
  const still = setInterval(() => say(`still at it after ${seconds(performance.now() - fromMs)}`), STILL_AT_IT_MS)
  try {
    const kafka = await startKafka({}, (what) => say(`${what} …`))
    if (kafka.skipReason !== undefined) throw new Error(kafka.skipReason.replace(/, or set .*/s, `, or set ${EXAMPLE}`))
    const url = `kafka://${kafka.brokers.join()}`
    return {
      // A topic of this demo alone: the Kafka may be one that tests share.
      env: { BATON_QUEUE: `${url}/${TOPIC}-${Date.now().toString(36)}?create=true` },
      told: `Their jobs are in a Kafka${kafka.isOwn ? ' of their own' : ''}, ${url}.`,
      // Who only looks at a run needs no queue, and this one will be gone.
      shown: 'BATON_QUEUE=memory:',
      close: () => kafka[Symbol.asyncDispose](),
    }
  } finally {
    clearInterval(still)
  }
}

function given(): string | undefined {
  const { BATON_QUEUE = '' } = process.env
  if (BATON_QUEUE === '') return undefined
  const [address = '', query] = BATON_QUEUE.split(/\?(.*)/s)
  const [, hosts] = /^(kafka:\/\/[^/]+)\/?$/i.exec(address) ?? []
  return hosts === undefined ? BATON_QUEUE : `${hosts}/${TOPIC}?create=true${query === undefined ? '' : `&${query}`}`
}

function capital(text: string): string {
  return `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}`
}
