import type { Shape } from './shape.ts'

/** Something that runs graphs on Redis: client and worker of one process, with places for 50 nodes at a time. */
export interface RedisContender {
  open(options: ContenderOptions): Promise<OpenContender>
}

export interface ContenderOptions {
  readonly url: string
  readonly shape: Shape
  /** To be called by a line's second node: what is large has been written by then. */
  readonly onSecondNode: () => Promise<void>
}

export interface OpenContender extends AsyncDisposable {
  /** One run, from its start to the output of its last node. */
  run(): Promise<number>
}

export const CONCURRENCY = 50
