/** A wire to a server that a test can cut in the worst moment: the server has the command, and its answer is lost. */
import { connect, createServer, type Socket } from 'node:net'

export class Wire implements AsyncDisposable {
  readonly #server = createServer((client) => this.#join(client))
  readonly #sockets = new Set<Socket>()
  readonly #target: number
  #cutAfterAnswers = Number.POSITIVE_INFINITY

  private constructor(target: number) {
    this.#target = target
  }

  static async to(url: string): Promise<Wire> {
    const wire = new Wire(Number(new URL(url).port))
    await new Promise<void>((resolve) => wire.#server.listen(0, '127.0.0.1', resolve))
    return wire
  }

  get url(): string {
    const address = this.#server.address()
    return `redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  }

  /** The next answer of the server is not passed on: the connection is lost in its place. */
  cutAtNextAnswer(): void {
    this.#cutAfterAnswers = 0
  }

  /** From now on nothing comes over the connections that there are, and nobody hears of that. New ones are whole. */
  goSilent(): void {
    for (const socket of this.#sockets) {
      socket.unpipe()
      socket.removeAllListeners('data')
      socket.resume()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #join(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1')
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        server.destroy()
        this.#sockets.delete(socket)
      })
    }
    client.pipe(server)
    server.on('data', (answer) => {
      if (this.#cutAfterAnswers-- > 0) return client.write(answer)
      this.#cutAfterAnswers = Number.POSITIVE_INFINITY
      return client.destroy()
    })
  }
}
