/** The text of whatever was thrown, for a line of a log or the message of another error. */
export function messageOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  // A host with two addresses, none of which answers, comes as many errors and no text.
  const [first] = thrown instanceof AggregateError ? thrown.errors : []
  return message === '' && first !== undefined ? messageOf(first) : message
}
