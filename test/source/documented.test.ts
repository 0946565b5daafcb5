import { relative } from "node:path";
import ts from "typescript";
import { publicProgram } from "../support/public-api";

// Whoever writes `new ClusterPki(…)` reads what the editor shows: each name has a sentence, each optional prop its default.

const program = publicProgram();
const checker = program.getTypeChecker();
const root = program.getCurrentDirectory();

/** The thing itself, where a name is that of an import or an export. */
function original(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

function isOurs(declaration: ts.Declaration): boolean {
  return relative(root, declaration.getSourceFile().fileName).startsWith("lib/");
}

/** What a declaration shows of itself: not the bodies of functions, and nothing private. */
function visible(node: ts.Node): ts.Node[] {
  const found: ts.Node[] = [];
  node.forEachChild((child) => {
    const isPrivate =
      ts.canHaveModifiers(child) &&
      ts.getModifiers(child)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword) &&
      !ts.isConstructorDeclaration(child);
    if (!isPrivate && !ts.isBlock(child) && !ts.isExpression(child)) {
      found.push(child, ...visible(child));
    }
  });
  return found;
}

/** Every thing of lib that these are made of, themselves included; with `into`, only through those. */
function reachable(start: readonly ts.Symbol[], into: (symbol: ts.Symbol) => boolean = () => true): Set<ts.Symbol> {
  const found = new Set<ts.Symbol>();
  const queue = [...start];
  for (let symbol = queue.pop(); symbol; symbol = queue.pop()) {
    if (found.has(symbol) || !symbol.declarations?.some(isOurs) || symbol.flags & ts.SymbolFlags.TypeParameter) {
      continue;
    }
    found.add(symbol);
    if (into(symbol)) {
      queue.push(...symbol.declarations.flatMap(visible).flatMap(named));
    }
  }
  return found;
}

/** The type that a node names. */
function named(node: ts.Node): ts.Symbol[] {
  const name = ts.isTypeReferenceNode(node)
    ? node.typeName
    : ts.isExpressionWithTypeArguments(node)
      ? node.expression
      : undefined;
  const symbol = name && checker.getSymbolAtLocation(name);
  return symbol ? [original(symbol)] : [];
}

/**
 * Members of a type, with those of the types that are written out inside it: not the parameters of its methods, nor a tag like
 * `kind: "token"`, which says it itself.
 */
function membersOf(symbol: ts.Symbol): ts.Symbol[] {
  const members = symbol.declarations!.flatMap(visible).filter((node) => {
    if (ts.isParameter(node)) {
      return ts.isParameterPropertyDeclaration(node, node.parent);
    }
    if (ts.findAncestor(node, ts.isParameter)) {
      return false;
    }
    const isTag = ts.isPropertySignature(node) && !!node.type && ts.isLiteralTypeNode(node.type);
    return !isTag && (ts.isTypeElement(node) || ts.isClassElement(node)) && !!node.name;
  });
  return members.map((node) => checker.getSymbolAtLocation((node as ts.PropertySignature).name)!);
}

function fileOf(symbol: ts.Symbol): string {
  return relative(root, symbol.declarations![0]!.getSourceFile().fileName);
}

function isDocumented(symbol: ts.Symbol): boolean {
  return symbol.getDocumentationComment(checker).length > 0;
}

function hasDefault(symbol: ts.Symbol): boolean {
  return symbol.getJsDocTags(checker).some(({ name }) => name === "default");
}

const exported = checker
  .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(`${root}/lib/index.ts`)!)!)
  .map(original);
const shown = [...reachable(exported)];

/** What a user gives: the parameters of functions, constructors and methods, and what those are made of. */
const given = reachable(
  shown
    .flatMap((symbol) => symbol.declarations!.flatMap((declaration) => [declaration, ...visible(declaration)]))
    .filter((node) => ts.isParameter(node))
    .flatMap((parameter) => [parameter, ...visible(parameter)].flatMap(named)),
  (symbol) => !(symbol.flags & ts.SymbolFlags.Class),
);

type Named = readonly [owner: ts.Symbol, member?: ts.Symbol];

const bareNames: Named[] = shown.filter((symbol) => !isDocumented(symbol)).map((symbol) => [symbol]);
const bareMembers: Named[] = shown.flatMap((owner) =>
  membersOf(owner)
    .filter((member) => !isDocumented(member))
    .map((member): Named => [owner, member]),
);
const withoutDefault: Named[] = [...given]
  .filter((owner) => !(owner.flags & ts.SymbolFlags.Class))
  .flatMap((owner) =>
    membersOf(owner)
      .filter((member) => member.flags & ts.SymbolFlags.Optional && !hasDefault(member))
      .map((member): Named => [owner, member]),
  );

/** `file Name.member` of each. */
function listed(names: readonly Named[]): string[] {
  return names.map(([owner, member]) => `${fileOf(owner)} ${owner.name}${member ? `.${member.name}` : ""}`).sort();
}

test("there is something to look at", () => {
  expect(shown.length).toBeGreaterThan(100);
  expect([...given].map(({ name }) => name)).toEqual(expect.arrayContaining(["ClusterPkiProps", "Cluster", "Machine"]));
  expect(shown.flatMap(membersOf).length).toBeGreaterThan(400);
});

test("every public name has a sentence", () => {
  expect(listed(bareNames)).toEqual([]);
});

test("every member of a public name has a sentence", () => {
  expect(listed(bareMembers)).toEqual([]);
});

test("every optional member of what a user gives has its default", () => {
  expect(listed(withoutDefault)).toEqual([]);
});
