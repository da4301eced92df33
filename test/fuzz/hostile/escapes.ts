// Ways out of other expression languages, retold: what each of them reached through, written as CEL and as templates
// would meet it. None of them may reach anything here.

/** n8n, CVE-2025-68613: the host's `this`, and functions made from text. CVE-2026-25049: keys that are no literal texts. */
const n8n = [
  'this.process.mainModule.require("child_process").execSync("id")',
  '(function(){ return this })().process.env',
  '(() => this)().constructor',
  'this.constructor.constructor("return process")()',
  'globalThis["pro" + "cess"]',
  'input[["constructor"]]',
  'input[["constructor"]][["constructor"]]',
  'input["con" + "structor"]["con" + "structor"]("return process")()',
  'input[input.name]',
  '[input].map(x, x["constructor"])',
  '(({constructor}) => constructor)(input)',
  'input[`constructor`]',
  'with (input) { constructor }',
  'new Function("return process")()',
  'input.constructor.getOwnPropertyDescriptor',
  'Error.prepareStackTrace',
]

/** JSONata: `__proto__` through grouping and transforms, functions as values. */
const jsonata = [
  '$ ~> |$|{"__proto__": {"polluted": true}}|',
  'input{"__proto__": "polluted"}',
  '{"__proto__": {"polluted": true}}',
  '{"constructor": {"prototype": {"polluted": true}}}',
  '$lookup(input, "constructor")',
  '$eval("process")',
  'input.*.constructor',
  'cel.bind(__proto__, input, __proto__.polluted)',
]

/** expr-eval, CVE-2025-12735: functions among the values, assignments, definitions. */
const exprEval = [
  'input.exec("id")',
  'f(x) = x; f.constructor("return process")()',
  'x = input.constructor',
  'toString.constructor("return process")()',
  'max.constructor("return process")()',
  'size.constructor',
  'has.constructor("return 1")()',
  'input.__defineGetter__("polluted", size)',
]

/** Jexl: brackets where dots are refused; a `then` that is awaited; names of its own tables' prototypes. */
const jexl = [
  'input["__proto__"]["polluted"]',
  'input["toLowerCase"]["__proto__"]',
  '"".toLowerCase["__proto__"]',
  '{"then": "".toLowerCase}',
  '{"then": input}',
  'valueOf',
  'toString',
  'hasOwnProperty("x")',
  'input|constructor',
  'input.items[.constructor]',
  '[]["constructor"]["constructor"]',
]

/** vm2: what the host looks at by itself — stacks, species, inspection, conversions. */
const vm2 = [
  'input["Symbol(nodejs.util.inspect.custom)"]',
  'input["Symbol.species"]',
  'input["@@species"]',
  'input.then(input)',
  'async () => { try { null.x } catch (e) { e.stack } }',
  'input.toString() + input',
  'string(input.valueOf)',
  'type(type(input))',
  'type(input).name',
  'dyn(type).constructor',
  'optional.constructor',
  'cel.constructor',
  'google.protobuf.constructor',
  'google.protobuf.Timestamp.prototype',
  'now.__proto__.getTime()',
  'b"abc".buffer',
  'b"abc".constructor',
  'duration("1s").constructor',
]

export const escapes: readonly string[] = [...n8n, ...jsonata, ...exprEval, ...jexl, ...vm2]
