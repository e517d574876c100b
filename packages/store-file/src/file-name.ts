/**
 * Run ids as file names, and back.
 *
 * A file name must not depend on letter case (macOS and Windows take `A` and `a` for one name), must not hold a colon,
 * and must not be a name that Windows keeps for devices. So the name is the id in lower case with `+` for `:`, and what
 * that loses follows a `=`: which letters were upper case, as the bits of a hex number, four letters a digit.
 *
 *   order-42     order-42             Order-42   order-42=8
 *   a:b          a+b                  CON        =con=e
 *
 * A name of 128 letters, all of them upper case, takes 162 bytes of the 255 that file systems allow.
 */
import { parseRunId, type RunId } from '@baton/core/adapter'

const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/

export function fileNameOf(id: RunId | string): string {
  parseRunId(id)
  const lower = id.toLowerCase()
  const capitals = lower === id ? '' : capitalsOf(id)
  // Windows drops dots at the end of a name; the `=` keeps them.
  const tail = capitals !== '' || lower.endsWith('.') ? `=${capitals}` : ''
  return `${DEVICE.test(lower) ? '=' : ''}${lower.replaceAll(':', '+')}${tail}`
}

/** The id of a file name, or undefined when no id has that name: something else lies in the folder. */
export function idOfFileName(name: string): RunId | undefined {
  const text = name.startsWith('=') ? name.slice(1) : name
  const end = text.indexOf('=')
  const letters = (end === -1 ? text : text.slice(0, end)).replaceAll('+', ':')
  const id = end === -1 ? letters : capitalise(letters, text.slice(end + 1))
  try {
    return fileNameOf(id) === name ? parseRunId(id) : undefined
  } catch {
    return undefined
  }
}

function capitalsOf(id: string): string {
  let digits = ''
  for (let start = 0; start < id.length; start += 4) {
    let digit = 0
    for (let bit = 0; bit < 4; bit++) digit = digit * 2 + (isCapital(id.charCodeAt(start + bit)) ? 1 : 0)
    digits += digit.toString(16)
  }
  return digits.replace(/0+$/, '')
}

function capitalise(letters: string, digits: string): string {
  let id = ''
  for (let index = 0; index < letters.length; index++) {
    const digit = Number.parseInt(digits[index >> 2] ?? '0', 16)
    const letter = letters[index] ?? ''
    id += digit & (8 >> (index & 3)) ? letter.toUpperCase() : letter
  }
  return id
}

function isCapital(code: number): boolean {
  return code >= 65 && code <= 90
}
