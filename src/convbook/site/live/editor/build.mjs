// Builds the editor into one script, and notes in its first line what it was built from.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const sums = createHash("sha256");
for (const name of ["editor.js", "package-lock.json", "package.json"]) sums.update(readFileSync(name));
const { outputFiles: [bundle] } = await build({
  entryPoints: ["editor.js"], bundle: true, minify: true, write: false, format: "iife",
  globalName: "convbookEditor", target: "es2020", legalComments: "none", charset: "utf8",
});
const first = `/* Built by \`make editor\` from sources with SHA-256 ${sums.digest("hex")} */`;
const licence = "/* CodeMirror and Lezer: MIT licence, Copyright (C) Marijn Haverbeke and others. */";
writeFileSync("../convbook-editor.js", `${first}\n${licence}\n${bundle.text}`);
