import { expect, it } from 'vitest'
import { checkOptions } from './check-options.ts'

const hinted = (hint: string) => expect.objectContaining({ code: 'INVALID_OPTION', hint })

it.each([
  ['queue', 'queueName'],
  ['lowQueu', 'lowQueue'],
  ['highqueue', 'highQueue'],
])('hints at the option that was meant by %s', (slip, meant) => {
  const check = () => checkOptions({ [slip]: 'x' }, ['table', 'queueName', 'highQueue', 'lowQueue'])

  expect(check).toThrow(hinted(`Did you mean \`${meant}\`?`))
})

it('asks for an object where there is none, and does not say to leave out what was left out', () => {
  expect(() => checkOptions(undefined, [])).toThrow(hinted('Give an object of options: there are some to be given.'))
  expect(() => checkOptions(null, [])).toThrow(hinted('Leave it out, or pass {}.'))
})
