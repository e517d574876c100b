const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** `30 d`, `2 h 5 min`, `1.5 s`: what a person would say. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  const parts: string[] = []
  let left = ms
  for (const [name, size] of units) {
    const isLast = name === 's'
    const count = isLast ? Math.round(left) / size : Math.floor(left / size)
    left -= isLast ? left : count * size
    if (count > 0) parts.push(`${count} ${name}`)
  }
  return parts.join(' ')
}
