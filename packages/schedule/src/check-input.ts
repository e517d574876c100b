import { BatonError, type RunnableFlow } from '@baton/core'

/**
 * Holds the input against the flow's schema, so that a slip shows now and not at night. What the schema makes of it is
 * not kept: each start makes it anew, with the schema of its time.
 */
export async function checkInput(flow: RunnableFlow, input: unknown): Promise<void> {
  const schema = flow.registry.inputs?.get(flow.toBlueprint().id)
  if (schema === undefined) return
  const { issues } = await schema['~standard'].validate(input)
  const [first] = issues ?? []
  if (first === undefined) return
  throw new BatonError('INVALID_VALUE', {
    field: 'input',
    message: first.message,
    hint: 'It does not fit the schema that the flow gives for it.',
  })
}
