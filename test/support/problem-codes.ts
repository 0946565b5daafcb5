import ts from "typescript";

/** What lib says of one code, wherever it finds it. */
export interface CodeUse {
  /** Who finds it: synth, or Terraform, where the value is not known before. */
  readonly by: ReadonlySet<"synth" | "Terraform">;
  /** What would have been accepted; {@link OPEN} stands for what depends on the description. */
  readonly allowed: ReadonlySet<string>;
  /** The change to make. */
  readonly fixes: ReadonlySet<string>;
}

interface Uses {
  readonly by: Set<"synth" | "Terraform">;
  readonly allowed: Set<string>;
  readonly fixes: Set<string>;
}

/** What a parameter is at one place that calls its function: an expression there, or the text itself. */
type Bound = string | { readonly node: ts.Expression; readonly env: Env };
type Env = ReadonlyMap<ts.Symbol, Bound>;

/** What only the description says. */
export const OPEN = "…";

/**
 * Every code of a problem in the sources of a program, with what is said beside it: read from the objects with `code`, `allowed` and
 * `fix`, and from messages that begin with `[code]`.
 *
 * @throws Error when a code cannot be read: its type must be that of literals, or it comes from a call with a literal
 */
export function problemCodes(program: ts.Program, isOurs: (file: string) => boolean): Map<string, CodeUse> {
  const checker = program.getTypeChecker();
  const nodes = program
    .getSourceFiles()
    .filter(({ fileName }) => isOurs(fileName))
    .flatMap((file) => withChildren(file));
  const calls = nodes.filter(ts.isCallExpression);
  const found = new Map<string, Uses>();

  function use(code: string, by: "synth" | "Terraform", allowed: string[] = [], fixes: string[] = []): void {
    const uses = found.get(code) ?? { by: new Set(), allowed: new Set(), fixes: new Set() };
    found.set(code, uses);
    uses.by.add(by);
    allowed.forEach((text) => uses.allowed.add(text));
    fixes.filter((text) => text !== OPEN).forEach((text) => uses.fixes.add(text));
  }

  for (const node of nodes) {
    if (ts.isObjectLiteralExpression(node)) {
      const [code, allowed, fix] = ["code", "allowed", "fix"].map((name) => property(node, name));
      if (code && allowed && fix) {
        const by = callee(node.parent) === "condition" ? "Terraform" : "synth";
        for (const env of environments(code)) {
          for (const text of codesOf(code, env)) {
            const known = bind(code, text, env);
            use(text, by, textsOf(allowed, known), textsOf(fix, known));
          }
        }
      }
    } else if (ts.isTemplateExpression(node) || ts.isStringLiteralLike(node)) {
      messageCodes(node).forEach((code) => use(code, "Terraform"));
    }
  }
  return found;

  /** The codes of a message that begins with `[code]`. */
  function messageCodes(node: ts.TemplateExpression | ts.StringLiteralLike): string[] {
    const [start, span] = ts.isTemplateExpression(node) ? [node.head.text, node.templateSpans[0]!] : [node.text];
    const [, code] = /^\[([a-z]+(?:-[a-z]+)*)\] /.exec(start) ?? [];
    if (span && start === "[" && span.literal.text.startsWith("] ")) {
      return textsOf(span.expression, new Map()).filter((text) => !text.includes(OPEN));
    }
    return code ? [code] : [];
  }

  function codesOf(code: ts.Expression, env: Env): string[] {
    const texts = textsOf(code, env);
    const open = texts.find((text) => text.includes(OPEN));
    if (open !== undefined) {
      const { fileName } = code.getSourceFile();
      throw new Error(`${fileName}: the code ${code.getText()} is ${open}: give it a type of literals`);
    }
    return texts;
  }

  /** What the parameters that an expression takes may be: one for each call of their function. */
  function environments(node: ts.Expression): Env[] {
    const parameter = withChildren(node)
      .filter(ts.isIdentifier)
      .map(symbolOf)
      .map((symbol) => symbol?.valueDeclaration)
      .find((declaration) => declaration && ts.isParameter(declaration) && isOpen(declaration));
    return parameter ? callsOf((parameter as ts.ParameterDeclaration).parent) : [new Map()];
  }

  function isOpen(parameter: ts.Declaration): boolean {
    return literals(checker.getTypeAtLocation(parameter)) === undefined;
  }

  function callsOf(called: ts.SignatureDeclaration): Env[] {
    return calls
      .filter((call) => checker.getResolvedSignature(call)?.declaration === called)
      .flatMap((call) => {
        const own = call.arguments.flatMap((argument) => environments(argument)).slice(0, 1);
        const outer = own[0] ?? new Map<ts.Symbol, Bound>();
        const bound = called.parameters.flatMap(({ name, initializer }, index): [ts.Symbol, Bound][] => {
          const argument = call.arguments[index] ?? initializer;
          return ts.isIdentifier(name) && argument ? [[symbolOf(name)!, { node: argument, env: outer }]] : [];
        });
        return [new Map(bound)];
      });
  }

  /** The same with the code's own name known, so that a table of texts by code is read at it. */
  function bind(code: ts.Expression, text: string, env: Env): Env {
    const symbol = ts.isIdentifier(code) ? symbolOf(code) : undefined;
    return symbol ? new Map([...env, [symbol, text]]) : env;
  }

  /** Every text that an expression may be. Inside a sentence, what only its type limits stays open. */
  function textsOf(node: ts.Expression, env: Env, inside = false): string[] {
    if (ts.isStringLiteralLike(node) || ts.isNumericLiteral(node)) {
      return [node.text];
    }
    if (ts.isTemplateExpression(node)) {
      return node.templateSpans.reduce<string[]>(
        (starts, { expression, literal }) =>
          starts.flatMap((start) => textsOf(expression, env, true).map((text) => `${start}${text}${literal.text}`)),
        [node.head.text],
      );
    }
    if (ts.isConditionalExpression(node)) {
      return [node.whenTrue, node.whenFalse].flatMap((branch) => textsOf(branch, env, inside));
    }
    if (ts.isBinaryExpression(node)) {
      const [left, right] = [node.left, node.right].map((side) => textsOf(side, env, inside)) as [string[], string[]];
      switch (node.operatorToken.kind) {
        case ts.SyntaxKind.BarBarToken:
        case ts.SyntaxKind.QuestionQuestionToken:
          return [...left, ...right];
        case ts.SyntaxKind.PlusToken:
          return isText(node) ? left.flatMap((start) => right.map((end) => `${start}${end}`)) : [OPEN];
        default:
          return [OPEN];
      }
    }
    const bound = ts.isIdentifier(node) ? env.get(symbolOf(node)!) : undefined;
    if (bound !== undefined) {
      return typeof bound === "string" ? [bound] : textsOf(bound.node, bound.env, inside);
    }
    const value = valueOf(node, env);
    return value
      ? textsOf(value, env, inside)
      : ((inside ? undefined : literals(checker.getTypeAtLocation(node))) ?? [OPEN]);
  }

  function isText(node: ts.Expression): boolean {
    return (checker.getTypeAtLocation(node).flags & ts.TypeFlags.StringLike) !== 0;
  }

  /** The expression that a name or a place in a table stands for. */
  function valueOf(node: ts.Expression, env: Env): ts.Expression | undefined {
    if (ts.isAsExpression(node) || ts.isParenthesizedExpression(node)) {
      return node.expression;
    }
    if (ts.isElementAccessExpression(node) || ts.isPropertyAccessExpression(node)) {
      const key = ts.isPropertyAccessExpression(node) ? node.name.text : textsOf(node.argumentExpression, env)[0]!;
      return entryOf(node.expression, key, env);
    }
    const declaration = ts.isIdentifier(node) ? symbolOf(node)?.valueDeclaration : undefined;
    if (declaration && ts.isVariableDeclaration(declaration)) {
      return declaration.initializer;
    }
    if (declaration && ts.isBindingElement(declaration) && ts.isVariableDeclaration(declaration.parent.parent)) {
      const { parent, propertyName, name } = declaration;
      const key = ts.isArrayBindingPattern(parent)
        ? String(parent.elements.indexOf(declaration))
        : (propertyName ?? name).getText();
      // Of a loop over something, there is none.
      return parent.parent.initializer && entryOf(parent.parent.initializer, key, env);
    }
    return undefined;
  }

  function entryOf(table: ts.Expression, key: string, env: Env): ts.Expression | undefined {
    if (ts.isObjectLiteralExpression(table)) {
      return property(table, key);
    }
    if (ts.isArrayLiteralExpression(table)) {
      return table.elements[Number(key)];
    }
    const value = valueOf(table, env);
    return value && entryOf(value, key, env);
  }

  function symbolOf(node: ts.Node): ts.Symbol | undefined {
    const symbol = ts.isShorthandPropertyAssignment(node.parent)
      ? checker.getShorthandAssignmentValueSymbol(node.parent)
      : checker.getSymbolAtLocation(node);
    return symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  }
}

/** The texts of a type that is made of nothing else. */
function literals(type: ts.Type): string[] | undefined {
  const parts = type.isUnion() ? type.types : [type];
  return parts.every((part) => part.isStringLiteral())
    ? parts.map((part) => (part as ts.StringLiteralType).value)
    : undefined;
}

/** The value of a property that is written out. */
function property(object: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  const found = object.properties.find((entry) => entry.name && "text" in entry.name && entry.name.text === name);
  if (found && ts.isPropertyAssignment(found)) {
    return found.initializer;
  }
  return found && ts.isShorthandPropertyAssignment(found) ? found.name : undefined;
}

function callee(node: ts.Node): string | undefined {
  return ts.isCallExpression(node) ? node.expression.getText() : undefined;
}

function withChildren(node: ts.Node): ts.Node[] {
  const found: ts.Node[] = [node];
  node.forEachChild((child) => void found.push(...withChildren(child)));
  return found;
}
