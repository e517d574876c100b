/** A URL as it may be shown: without the user and the password that may stand before its host. */
export function maskedUrl(url: string): string {
  // A folder may have an @ in its name.
  if (/^file:/i.test(url)) return url
  return url.replace(/^([a-z][a-z0-9+.-]*:)?(\/\/)?.*@/is, '$1$2***@')
}
