/** A service of AWS for tests: a server of our own that plays it, or whatever stands at a given URL. */
import { freePort, isPortTaken, type ServerCommand, ServerProcess } from './server-process.ts'

const PORT_TRIES = 5
const REGION = 'us-east-1'

/** Where a server may listen and write. */
export interface Place {
  readonly port: number
  readonly folder: string
}

/** What the clients of the AWS SDK want to be told; it fits all of them. */
export interface ClientOptions {
  readonly endpoint: string
  readonly region: string
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

type Source = { readonly given: string } | { readonly missing: string } | { readonly own: OwnServer }

export class Emulator implements AsyncDisposable {
  /** Why there is none, and how to get one; for `describe.skipIf`. */
  readonly skipReason: string | undefined
  readonly #source: Source

  private constructor(source: Source) {
    this.#source = source
    this.skipReason = 'missing' in source ? source.missing : undefined
  }

  static at(url: string): Emulator {
    return new Emulator({ given: url })
  }

  static missing(reason: string): Emulator {
    return new Emulator({ missing: reason })
  }

  static async start(name: string, commandFor: (place: Place) => ServerCommand): Promise<Emulator> {
    return new Emulator({ own: await OwnServer.start(name, commandFor) })
  }

  get endpoint(): string {
    return 'given' in this.#source ? this.#source.given : `http://127.0.0.1:${this.#own.place.port}`
  }

  /** Emulators take any credentials; for a given URL those of the environment are kept. */
  get clientOptions(): ClientOptions {
    const { AWS_REGION: region = REGION, AWS_ACCESS_KEY_ID: ownKey } = process.env
    const { endpoint } = this
    if ('given' in this.#source && ownKey !== undefined) return { endpoint, region }
    return { endpoint, region, credentials: { accessKeyId: 'baton', secretAccessKey: 'baton' } }
  }

  /** Ends it in the middle of whatever it does. */
  kill(): Promise<void> {
    return this.#own.server.kill()
  }

  /** Starts it again after `kill()`, on the same port: with all it acknowledged if it is durable, else empty. */
  restart(): Promise<void> {
    return this.#own.restart()
  }

  /** A server that is there and does not answer. */
  freeze(): void {
    this.#own.server.freeze()
  }

  thaw(): void {
    this.#own.server.thaw()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if ('own' in this.#source) await this.#source.own.server.remove()
  }

  get #own(): OwnServer {
    if ('own' in this.#source) return this.#source.own
    throw new Error(this.skipReason ?? 'it is not a server of our own')
  }
}

class OwnServer {
  readonly server: ServerProcess
  readonly place: Place
  readonly #commandFor: (place: Place) => ServerCommand

  private constructor(server: ServerProcess, port: number, commandFor: (place: Place) => ServerCommand) {
    this.server = server
    this.place = { port, folder: server.folder }
    this.#commandFor = commandFor
  }

  static async start(name: string, commandFor: (place: Place) => ServerCommand): Promise<OwnServer> {
    const server = new ServerProcess(name)
    for (let tries = 1; ; tries++) {
      const own = new OwnServer(server, await freePort(), commandFor)
      try {
        await own.restart()
        return own
      } catch (error) {
        if (tries < PORT_TRIES && isPortTaken(error)) continue
        await server.remove()
        throw error
      }
    }
  }

  restart(): Promise<void> {
    return this.server.start(this.#commandFor(this.place))
  }
}
