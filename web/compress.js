// Compresses what was built, once, so that the server only has to send files.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = join(process.argv[2], "assets");
for (const name of readdirSync(folder).filter((name) => /\.(js|css|svg)$/.test(name))) {
  const bytes = readFileSync(join(folder, name));
  if (bytes.length < 1024) continue;
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
  writeFileSync(join(folder, `${name}.br`), brotliCompressSync(bytes, { params }));
  writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
}
