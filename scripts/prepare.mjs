// What npm runs after an install in a checkout. It is not TypeScript, because without development dependencies nothing
// could compile it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const has = (path) => existsSync(new URL(path, root));

if (has('node_modules/typescript/package.json')) {
  const { status } = spawnSync('npm', ['run', 'build'], {
    cwd: fileURLToPath(root),
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  process.exitCode = status ?? 1;
} else if (!has('dist/src/cli/main.js')) {
  process.stderr.write(
    'incident-io-source is not built, and TypeScript, a development dependency, is not installed: run npm ci, then ' +
      'npm prune --omit=dev --ignore-scripts.\n',
  );
  process.exitCode = 1;
}
