// A process that uses an embedded Temporal server, as a command does, until it reads a line from stdin.
import { once } from 'node:events';
import { useDevServer } from '../../src/temporal/dev-server/dev-server.ts';
import { defaultStateDir } from '../../src/temporal/dev-server/folders.ts';
import { useTemporaryDevServer } from '../../src/temporal/dev-server/temporary.ts';

const options = { env: process.env, report: console.error };
const server =
  process.argv[2] === 'temporary'
    ? await useTemporaryDevServer(options)
    : await useDevServer({ ...options, stateDir: defaultStateDir(process.env) });
console.log(JSON.stringify({ pid: server.pid, address: server.address }));
await once(process.stdin, 'data');
process.stdin.destroy();
await server.release();
