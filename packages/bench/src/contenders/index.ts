/** Every contender by name, loaded only when it is its turn: what one imports must not show in another's memory. */
import type { GraphContender } from './contender.ts'

const contenders = {
  'baton-in-process': async () => (await import('./baton-in-process.ts')).contender,
  flowcraft: async () => (await import('./flowcraft.ts')).contender,
  'floor-engine': async () => (await import('./floor-engine.ts')).contender,
  'floor-loop': async () => (await import('./floor-loop.ts')).contender,
} satisfies Record<string, () => Promise<GraphContender>>

export type ContenderName = keyof typeof contenders

export function loadContender(name: string): Promise<GraphContender> {
  if (!Object.hasOwn(contenders, name))
    throw new Error(`no contender ${name}; known: ${Object.keys(contenders).join(', ')}`)
  return contenders[name as ContenderName]()
}
