/** Brokers whose certificate we do not take. */
import net from 'node:net'
import tls from 'node:tls'
import type { ISocketFactory } from 'kafkajs'
import { isCertificateError } from './kafka-errors.ts'

/** As kafkajs has it. */
const KEEP_ALIVE_MS = 60_000

/**
 * Hears when the certificate of a broker is refused. kafkajs takes that for an outage: it tries on, longer than anybody waits, and whoever asked
 * hears of no answer instead of the certificate.
 */
export class Certificates {
  readonly #brokers: number
  readonly #refused = new Set<string>()
  readonly #waiting = new Set<(error: Error) => void>()

  /** @param brokers how many there are to begin with: as long as one of them is taken, there is somebody to ask */
  constructor(brokers: number) {
    this.#brokers = brokers
  }

  /** For kafkajs: opens what its own one does. */
  readonly socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    const place = { host, port }
    if (!ssl) return net.connect(place, onConnect).setKeepAlive(true, KEEP_ALIVE_MS)
    const socket = tls.connect({ ...place, ...(net.isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
    socket.once('secureConnect', () => this.#refused.clear())
    socket.once('error', (error) => {
      if (isCertificateError(error)) this.#refuse(`${host}:${port}`, error)
    })
    return socket.setKeepAlive(true, KEEP_ALIVE_MS)
  }

  /** Resolves as what was asked; rejects as soon as no broker's certificate is taken. */
  async during<Answer>(asked: Promise<Answer>): Promise<Answer> {
    let refuse = (_error: Error) => {}
    const refused = new Promise<never>((_, reject) => {
      refuse = reject
    })
    this.#waiting.add(refuse)
    try {
      return await Promise.race([asked, refused])
    } finally {
      this.#waiting.delete(refuse)
    }
  }

  #refuse(broker: string, error: Error): void {
    this.#refused.add(broker)
    if (this.#refused.size < this.#brokers) return
    this.#refused.clear()
    for (const refuse of this.#waiting) refuse(error)
  }
}
