// Holds the emulator's answers against GitHub's own description: node emulate_check.mjs AJV DESCRIPTION EXCHANGES.
// EXCHANGES has one exchange a line. Prints one line for each operation, status and fault, sorted.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [, , modules, description, exchanges] = process.argv;
const Ajv = createRequire(`${modules}/`)("ajv").default;
const lines = readFileSync(exchanges, "utf8").trim().split("\n");

// OpenAPI 3.0's `nullable`, as JSON Schema knows it.
const widen = (value) => {
  if (Array.isArray(value)) return value.map(widen);
  if (value === null || typeof value !== "object") return value;
  const made = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, widen(inner)]));
  if (made.nullable !== true) return made;
  delete made.nullable;
  return { anyOf: [made, { enum: [null] }] };
};
const document = widen(JSON.parse(readFileSync(description, "utf8")));
const resolved = (value) =>
  value?.$ref ? value.$ref.slice(2).split("/").reduce((at, part) => at[part.replaceAll("~1", "/").replaceAll("~0", "~")], document) : value;
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema(document, "github");
// A reference inside a schema that is compiled by itself still means the document.
const rooted = (value) => {
  if (Array.isArray(value)) return value.map(rooted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, key === "$ref" && typeof inner === "string" && inner.startsWith("#") ? `github${inner}` : rooted(inner)]));
};
const validators = new Map();
const validator = (schema) => {
  const key = JSON.stringify(schema);
  if (!validators.has(key)) validators.set(key, ajv.compile(rooted(schema)));
  return validators.get(key);
};

// Paths to operations; where there are more words and fewer parameters first.
const routes = Object.keys(document.paths).map((template) => {
  const item = document.paths[template];
  const parameters = Object.values(item).flatMap((operation) => operation.parameters ?? []).map(resolved);
  const parts = template.slice(1).split("/").map((part) => {
    const name = /^\{(.*)\}$/.exec(part)?.[1];
    if (name === undefined) return part.replaceAll(".", "\\.");
    return parameters.some((p) => p.name === name && p["x-multi-segment"]) ? ".+" : "[^/]+";
  });
  return { template, item, words: parts.filter((part) => /^[\w-]+$/.test(part)).length, fits: new RegExp(`^/${parts.join("/")}$`) };
});
routes.sort((a, b) => b.words - a.words);

const place = (error) => error.instancePath.replace(/\/\d+(?=\/|$)/g, "/*") || "/";
const found = new Map();
let checked = 0;
const say = (what, words) => found.set(`${what}: ${words}`, (found.get(`${what}: ${words}`) ?? 0) + 1);
for (const line of lines) {
  const { method, path, status, type, response, query } = JSON.parse(line);
  const route = routes.find((route) => method.toLowerCase() in route.item && route.fits.test(path));
  if (!route) {
    say(`${method} ${path}`, "no operation of that description");
    continue;
  }
  checked += 1;
  const operation = route.item[method.toLowerCase()];
  const what = `${method} ${route.template} ${status}`;
  const described = resolved(operation.responses[String(status)]);
  if (!described) {
    say(what, `not described; described are ${Object.keys(operation.responses).join(", ")}`);
    continue;
  }
  const schema = described.content?.["application/json"]?.schema;
  if (!schema || status >= 400) continue;
  if (!type.startsWith("application/json")) say(what, `the answer is ${type || "nothing"}`);
  const value = JSON.parse(response);
  const check = validator(schema);
  if (!check(value)) {
    const lacks = new Map();
    for (const error of check.errors) {
      // What one of several forms lacks says nothing where another fits; the sum of them is enough.
      if (["anyOf", "oneOf", "allOf"].includes(error.keyword)) continue;
      if (error.keyword === "required") {
        const at = place(error);
        lacks.set(at, (lacks.get(at) ?? new Set()).add(error.params.missingProperty));
      } else if (error.keyword === "enum" && error.params.allowedValues.length === 1 && error.params.allowedValues[0] === null) continue;
      else say(what, `at ${place(error)}: ${error.message}${error.keyword === "enum" ? ` (${error.params.allowedValues.join(", ")})` : ""}`);
    }
    for (const [at, names] of lacks) say(what, `at ${at}: lacks ${[...names].sort().join(", ")}`);
  }
  const asked = new URLSearchParams(query).get("per_page");
  const items = Array.isArray(value) ? value : value.check_runs ?? value.check_suites ?? [];
  if (asked && items.length > Number(asked)) say(what, "more items than per_page");
}
console.log(JSON.stringify({ checked, found: [...found.keys()].sort() }));
