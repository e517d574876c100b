/**
 * Reads as much of Terraform's language as our template has: blocks, attributes, texts, numbers, lists, and `jsonencode({ … })`.
 * Other functions, and choices, it gives as they stand there.
 */
export interface Block {
  /** `resource aws_sqs_queue dead`. */
  readonly name: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly blocks: readonly Block[]
}

const TOKEN = /\s+|#.*|"(?:[^"\\]|\\.)*"|[A-Za-z_](?:[\w.]|\[\*\])*|-?\d+(?:\.\d+)?|>=|[{}[\]()=,?:]/gy

export function readTerraform(text: string): Block {
  const tokens = tokensOf(text)
  const take = () => tokens.shift() ?? fail('it ends too early')
  const expect = (wanted: string) => (take() === wanted ? undefined : fail(`${wanted} is missing`))

  return body('', undefined)

  function body(name: string, end: string | undefined): Block {
    const attributes: Record<string, unknown> = {}
    const blocks: Block[] = []
    while (tokens[0] !== end) {
      const names = [unquoted(take())]
      while (tokens[0] !== '=' && tokens[0] !== '{') names.push(unquoted(take()))
      if (take() === '{') blocks.push(body(names.join(' '), '}'))
      else attributes[names.join(' ')] = value()
    }
    if (end !== undefined) expect(end)
    return { name, attributes, blocks }
  }

  function value(): unknown {
    const first = operand()
    if (tokens[0] !== '?') return first
    take()
    const whenTrue = operand()
    expect(':')
    return `${first} ? ${whenTrue} : ${operand()}`
  }

  function operand(): unknown {
    const token = take()
    if (token === '[') return list()
    if (token === '{') return body('', '}').attributes
    if (token.startsWith('"')) return unquoted(token)
    if (token === 'jsonencode') {
      expect('(')
      const inside = value()
      expect(')')
      return inside
    }
    if (tokens[0] === '(') {
      take()
      const inside = value()
      expect(')')
      return `${token}(${inside})`
    }
    if (token === 'true' || token === 'false') return token === 'true'
    return Number.isNaN(Number(token)) ? token : Number(token)
  }

  function list(): unknown[] {
    const values: unknown[] = []
    while (tokens[0] !== ']') {
      values.push(value())
      if (tokens[0] === ',') take()
    }
    take()
    return values
  }
}

function tokensOf(text: string): string[] {
  const tokens: string[] = []
  let read = 0
  for (const [token] of text.matchAll(TOKEN)) {
    read += token.length
    if (!/^\s|^#/.test(token)) tokens.push(token)
  }
  if (read !== text.length) fail(`what is ${JSON.stringify(text.slice(read, read + 20))}?`)
  return tokens
}

function unquoted(token: string): string {
  return token.startsWith('"') ? token.slice(1, -1) : token
}

function fail(what: string): never {
  throw new Error(`The template cannot be read: ${what}`)
}
