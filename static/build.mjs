// Builds static/build/ from static/src/ and node_modules: app.css, app.js and the design system's
// images. Called by `npm run build`; everything it writes is generated and ignored by git.

import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { compile } from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "..", "node_modules");
const out = join(here, "build");

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const { css } = compile(join(here, "src", "app.scss"), {
  loadPaths: [modules],
  style: "compressed",
  quietDeps: true,
});
writeFileSync(join(out, "app.css"), css);

// One file on purpose: imports between files would have to survive the hashed file names
// that the static files storage gives.
await build({
  entryPoints: [join(here, "src", "app.js")],
  outfile: join(out, "app.js"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2020",
  legalComments: "none",
});

// Only what pages and the stylesheet ask for: the whole package is 56 MB.
for (const image of [
  "favicon.ico",
  "favicon.svg",
  "nhsuk-icon-180.png",
  "nhsuk-icon-arrow-down.svg",
  "nhsuk-icon-arrow-up-down.svg",
  "nhsuk-icon-arrow-up.svg",
  "nhsuk-icon-cross.svg",
  "nhsuk-icon-mask.svg",
]) {
  cpSync(
    join(modules, "nhsuk-frontend", "dist", "nhsuk", "assets", "images", image),
    join(out, "images", image),
  );
}
