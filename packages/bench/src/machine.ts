import { availableParallelism, cpus, release, totalmem, type } from 'node:os'

/** What the figures hold for, and nothing that says whose machine it is. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly os: string
  readonly node: string
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
    node: process.versions.node,
  }
}

export function sentenceOf({ cpu, cores, memoryGb, os, node }: Machine): string {
  return `${cores} cores of ${cpu}, ${memoryGb} GB, ${os}, Node ${node}`
}
