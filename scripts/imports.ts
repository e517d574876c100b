import ts from 'typescript'

/** One import of a file: what it names, on which line, and whether only types come through it. */
export interface Import {
  readonly specifier: string
  readonly line: number
  readonly typesOnly: boolean
}

/** Every way a TypeScript file can name another: import, export … from, import(), import('…').T, require(). */
export function listImports(fileName: string, text: string): Import[] {
  const file = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest, false)
  const imports: Import[] = []

  const add = (literal: ts.Node | undefined, typesOnly: boolean): void => {
    if (literal === undefined || !ts.isStringLiteralLike(literal)) return
    const line = file.getLineAndCharacterOfPosition(literal.getStart(file)).line + 1
    imports.push({ specifier: literal.text, line, typesOnly })
  }

  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, bringsTypesOnly(node.importClause))
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isImportTypeNode(node))
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true)
    else if (ts.isCallExpression(node) && loadsModule(node.expression)) add(node.arguments[0], false)
    else if (ts.isExternalModuleReference(node)) add(node.expression, false)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return imports
}

/** `import type { A }` and `import { type A, type B }`; an import without names runs the module. */
function bringsTypesOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const named = clause.namedBindings
  if (clause.name !== undefined || named === undefined || !ts.isNamedImports(named)) return false
  return named.elements.length > 0 && named.elements.every((element) => element.isTypeOnly)
}

function loadsModule(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require')
}
