/** Text on a terminal: how wide it is, and how it breaks. */

/** Shows what would not show, or would change what is around it: control characters, marks of direction and their like. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (char) => {
    return `\\u{${char.codePointAt(0)?.toString(16)}}`
  })
}

const NO_COLUMN = /^\p{M}$/u
const TWO_COLUMNS =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]$/u

export function columnsOf(text: string): number {
  let columns = 0
  for (const char of text) columns += widthOf(char)
  return columns
}

function widthOf(char: string): number {
  if (char <= '~') return 1
  if (NO_COLUMN.test(char)) return 0
  return TWO_COLUMNS.test(char) ? 2 : 1
}

/** Lines of at most this many columns, broken between words; a word that is longer is broken anywhere. */
export function wrap(text: string, columns: number, indent = '  '): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line.trim() !== '' && columnsOf(line) + 1 + columnsOf(word) > columns) {
      lines.push(line)
      line = indent
    }
    line += line.trim() === '' ? '' : ' '
    let used = columnsOf(line)
    for (const char of word) {
      const width = widthOf(char)
      if (used + width > columns) {
        lines.push(line)
        line = indent
        used = indent.length
      }
      line += char
      used += width
    }
  }
  lines.push(line)
  return lines
}
