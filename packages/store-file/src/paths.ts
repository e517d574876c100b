/**
 * Every path of a store, in one table. All stores and queues that are given the same directory share one folder.
 *
 *   store.json                     format version and durability: what every process has to agree on
 *   README.txt                     what is what, for a person who looks
 *   runs/<shard>/<run>.log         a run: its commands, one per line, never rewritten
 *   runs/<shard>/<run>.blobs/      values of the run that are too large for a line, by their SHA-256
 *   redo/<process>.log             lines that a process wrote to runs, which a power cut may take from there
 *   notes.log                      a few words about each run that has ended; may lack some
 *   due/<instant>/<run>            empty; from that instant on the run may want attention
 *   waiting/<flow>/@<version>/<run>   empty; the run waits for a worker with that version
 *   tombstones/<run>               until when the id of a purged run is kept from use; ~days lists them by day
 *   trash/                         what is about to be removed
 *   queue/{pending,taken,delayed,dead,segments}/   one directory entry per job
 *   coordination/<shard>-<epoch>.log          keys and values, as operations
 */
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { RunId } from '@baton/core/adapter'
import { fileNameOf } from './file-name.ts'

export const COORDINATION_SHARDS = 16

export class Paths {
  readonly root: string
  readonly runs: string
  readonly redo: string
  readonly due: string
  readonly waiting: string
  readonly tombstones: string
  readonly trash: string
  readonly queue: string
  readonly coordination: string

  constructor(root: string) {
    this.root = root
    this.runs = join(root, 'runs')
    this.redo = join(root, 'redo')
    this.due = join(root, 'due')
    this.waiting = join(root, 'waiting')
    this.tombstones = join(root, 'tombstones')
    this.trash = join(root, 'trash')
    this.queue = join(root, 'queue')
    this.coordination = join(root, 'coordination')
  }

  /** What the markers in `due` are links to. */
  get links(): string {
    return join(this.due, 'links')
  }

  /** No flow has that name. */
  get waitingNews(): string {
    return join(this.waiting, '~news')
  }

  get settings(): string {
    return join(this.root, 'store.json')
  }

  get notes(): string {
    return join(this.root, 'notes.log')
  }

  get readme(): string {
    return join(this.root, 'README.txt')
  }

  /** The folders in which runs lie; each is made for its first run. */
  runShards(): string[] {
    const names = readdirSync(this.runs).filter((name) => /^[0-9a-f]$/.test(name))
    return names.sort().map((name) => join(this.runs, name))
  }

  /** The paths of one run; the id is checked here, so that no id leads out of the folder. */
  run(id: RunId): RunPaths {
    const name = fileNameOf(id)
    // Sixteen folders: few enough that runs which are made at the same time mostly share the sync of one.
    const shard = createHash('sha256').update(id).digest().readUInt8(0) % 16
    return new RunPaths(name, join(this.runs, shard.toString(16)))
  }

  bucket(startMs: number): string {
    return join(this.due, String(startMs).padStart(13, '0'))
  }

  tombstone(id: RunId): string {
    return join(this.tombstones, fileNameOf(id))
  }

  coordinationShardOf(key: string): number {
    return createHash('sha256').update(key).digest().readUInt8(0) % COORDINATION_SHARDS
  }
}

export class RunPaths {
  /** The run id as a file name. */
  readonly name: string
  readonly folder: string
  readonly log: string
  readonly blobs: string

  constructor(name: string, folder: string) {
    this.name = name
    this.folder = folder
    this.log = join(folder, `${name}.log`)
    this.blobs = join(folder, `${name}.blobs`)
  }
}
