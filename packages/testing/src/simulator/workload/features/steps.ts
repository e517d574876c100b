import type { Feature } from '../feature.ts'

/** Steps that write to the context: recorded once, whatever happens to the attempt. */
export const steps: Feature = {
  name: 'steps',
  operation: (dice, index) => {
    const name = `step-${index}`
    const ms = dice.below(60)
    return {
      name,
      addsForGood: 1,
      async run(scene) {
        await scene.args.step(name, async ({ context }) => {
          scene.sawStep(name)
          await pause(scene.actor.clock, ms)
          await context.increment('steps', 1)
          return index
        })
      },
    }
  },
}

/** Steps side by side: the newest commit of an attempt need not be the one that is asked for again. */
export const parallelSteps: Feature = {
  name: 'parallel steps',
  operation: (dice, index) => {
    const names = [`left-${index}`, `right-${index}`]
    const times = names.map(() => dice.below(40))
    return {
      name: `steps-${index}`,
      addsForGood: names.length,
      async run(scene) {
        const steps = names.map((name, place) =>
          scene.args.step(name, async ({ context }) => {
            scene.sawStep(name)
            await pause(scene.actor.clock, times[place] ?? 0)
            await context.increment('steps', 1)
          }),
        )
        await Promise.all(steps)
      },
    }
  },
}

export function pause(clock: { after(ms: number, done: () => void): unknown }, ms: number): Promise<void> {
  return ms === 0 ? Promise.resolve() : new Promise((resolve) => void clock.after(ms, resolve))
}
