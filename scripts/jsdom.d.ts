/** As much of jsdom as the house uses, in the place of its own types: tsconfig.house.json says why. */
export class JSDOM {
  constructor(html?: string)
  readonly window: { readonly document: unknown }
}
