import { randomUUID } from 'node:crypto'

/** Each test keeps to one of its own, on a server that it may share. */
export function newPrefix(): string {
  return `t-${randomUUID().slice(0, 8)}`
}
