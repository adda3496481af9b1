import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { choices, count, printTable, visible } from '../../../src/cli/terminal/output.ts';
import { UsageError } from '../../../src/errors.ts';
import { usualTables } from '../../helpers/usual-tables.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { tables } from '../../../src/tables/index.ts';
import { cli } from '../../helpers/cli.ts';

let sandbox: Sandbox;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-test-'));
  sandbox = await startSandbox({ limits: 'off' });
});
afterAll(async () => {
  await sandbox.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  vi.stubEnv('INCIDENT_IO_API_KEY', sandbox.key);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const check = (...more: string[]) => cli(['check', ...usualTables, '--base-url', sandbox.url, ...more]);

describe('wrong usage exits with 2 and says what is wrong and what to do', () => {
  it.each([
    { argv: ['tabels'], message: 'tabels', advice: 'tables?' },
    { argv: ['tables', '--jsn'], message: '--jsn', advice: '--json?' },
    { argv: ['tables', 'incidnts'], message: '"incidnts"', advice: 'incidents?' },
    { argv: ['query'], message: 'sql', advice: '--help' },
    { argv: ['sandbox', '--faults', '2'], message: '1', advice: '--help' },
    {
      argv: ['check', '--base-url', 'http://example.com'],
      message: 'http://example.com',
      advice: 'https://',
    },
  ])('$argv', async ({ argv, message, advice }) => {
    const { code, out, err } = await cli(argv);
    expect(code).toBe(2);
    expect(out).toBe('');
    const [first, second] = err.split('\n');
    expect(first).toMatch(/^error: (?!error)/);
    expect(first).toContain(message);
    expect(second).toMatch(/^ {2}→ /);
    expect(second).toContain(advice);

    const json = await cli([...argv, '--json']);
    expect(json.code).toBe(2);
    expect(json.err).toBe('');
    const said = JSON.parse(json.out) as { error: string; message: string; advice: string };
    expect(said.error).toBe('UsageError');
    expect(said.message).toContain(message);
    expect(said.advice).toContain(advice);
  });

  it('without a suggestion if no command has a similar name', async () => {
    const { code, err } = await cli(['warehouses']);
    expect(code).toBe(2);
    expect(err).not.toMatch(/did you mean/i);
  });

  it('with the help if there is no command', async () => {
    const { code, err } = await cli([]);
    expect(code).toBe(2);
    expect(err).toContain('Commands:');
    expect(err).not.toMatch(/^error/m);
  });
});

it('exits with 0 for --help and --version', async () => {
  expect(await cli(['--version'])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
  });
  const help = await cli(['help']);
  expect(help.code).toBe(0);
  const commands = [...help.out.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name!);
  expect(commands).toContain('check');
  for (const command of commands.filter((name) => name !== 'help')) {
    const { code, out } = await cli([command, '--help']);
    expect(code).toBe(0);
    expect(out).toContain(`  incident-io-source ${command}`);
  }
});

describe('check', () => {
  it('reports the account and every table', async () => {
    const { code, out, err } = await check();
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('https://app.incident.io/sandbox');
    for (const name of usualTables) expect(out).toMatch(new RegExp(`^${name} .* yes$`, 'm'));
    expect(out).not.toContain(sandbox.key);
  });

  it('exits with 1 and names the missing scopes if a table cannot be read', async () => {
    vi.stubEnv('INCIDENT_IO_API_KEY', sandbox.addKey({ scopes: ['incidents.view', 'users.view'] }));
    const { code, out, err } = await check();
    expect(code).toBe(1);
    expect(out).toMatch(/^alerts .*no: .*alerts\.view/m);
    expect(out).toMatch(/^users .* yes$/m);
    expect(err).toMatch(/9 of 12 tables/);
    for (const scope of ['actions.view', 'alerts.view', 'custom_fields.view']) expect(err).toContain(scope);

    const json = await check('--json');
    expect(json).toMatchObject({ code: 1, err: '' });
    const { tables: told } = JSON.parse(json.out) as { tables: { table: string; allowed: boolean }[] };
    const allowed = told.filter(({ allowed }) => allowed).map(({ table }) => table);
    expect(new Set(allowed)).toEqual(new Set(['incidents', 'incident_updates', 'users']));
  });

  it('warns of private incidents that the key does not see', async () => {
    vi.stubEnv('INCIDENT_IO_API_KEY', sandbox.addKey({ identity: { roles: ['viewer'] } }));
    const { code, err } = await check();
    expect(code).toBe(0);
    expect(err).toMatch(/^warning: .*global_access/m);
  });

  it('reads the key from a file, and names a file that does not exist', async () => {
    vi.stubEnv('INCIDENT_IO_API_KEY', undefined);
    const file = join(folder, 'key');
    await writeFile(file, `${sandbox.key}\n`);
    expect(await check('--key-file', file)).toMatchObject({ code: 0 });
    const missing = await check('--key-file', join(folder, 'none'));
    expect(missing.code).toBe(1);
    expect(missing.err).toContain(join(folder, 'none'));
  });

  it('never shows the key, even if it was typed in the wrong place', async () => {
    const secret = 'inc_secret_key_of_somebody';
    vi.stubEnv('INCIDENT_IO_API_KEY', secret);
    for (const argv of [
      ['check', '--base-url', sandbox.url],
      ['check', '--base-url', `${sandbox.url}/${secret}`],
      ['check', '--base-url', secret],
      ['tables', secret],
      [secret],
    ]) {
      for (const format of [[], ['--json']]) {
        const { code, out, err } = await cli([...argv, ...format]);
        expect(code).not.toBe(0);
        expect(out + err).not.toContain(secret);
      }
    }
  });

  it('gives a script the HTTP status and the request id', async () => {
    vi.stubEnv('INCIDENT_IO_API_KEY', 'wrong');
    const { code, out } = await check('--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      error: 'CredentialsError',
      status: 401,
      request_id: expect.stringMatching(/^sandbox-\d+$/) as string,
      advice: expect.stringContaining('API key') as string,
    });
  });

  it('exits with 130 when it is interrupted', async () => {
    const interrupt = new AbortController();
    const mend = sandbox.fault({
      fault: { kind: 'stall' },
      when: () => {
        interrupt.abort();
        return true;
      },
    });
    try {
      const { code, err } = await cli(['check', '--base-url', sandbox.url], { signal: interrupt.signal });
      expect({ code, err }).toEqual({ code: 130, err: 'Interrupted.\n' });
    } finally {
      mend();
    }
  });
});

describe('sandbox', () => {
  it('serves what it was asked for under the address and key it prints, until it is interrupted', async () => {
    const interrupt = new AbortController();
    let print!: (out: string) => void;
    const printed = new Promise<string>((resolve) => {
      print = resolve;
    });
    const running = cli(
      ['sandbox', '--port', '0', '--json', '--users', '7', '--follow-ups', '3', '--no-limits'],
      {
        signal: interrupt.signal,
        onOutput: print,
      },
    );
    const { url, key } = JSON.parse(await printed) as { url: string; key: string };
    const read = async (path: string) => {
      const response = await fetch(url + path, { headers: { authorization: `Bearer ${key}` } });
      return { response, body: (await response.json()) as { users?: unknown[]; follow_ups?: unknown[] } };
    };
    const users = await read('/v2/users?include_inactive=true&page_size=100');
    expect(users.body.users).toHaveLength(7);
    expect(users.response.headers.get('x-ratelimit-limit')).toBeNull();
    interrupt.abort();
    expect(await running).toMatchObject({ code: 0, err: '' });
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('changes while it is read if told to, as the seed decides', async () => {
    const interrupt = new AbortController();
    onTestFinished(() => interrupt.abort());
    let print!: (out: string) => void;
    const printed = new Promise<string>((resolve) => {
      print = resolve;
    });
    void cli(['sandbox', '--port', '0', '--json', '--no-limits', '--users', '20', '--live', '--seed', '3'], {
      signal: interrupt.signal,
      onOutput: print,
    });
    const { url, key } = JSON.parse(await printed) as { url: string; key: string };
    const read = async () => {
      const headers = { authorization: `Bearer ${key}` };
      return (await fetch(`${url}/v2/users?include_inactive=true&page_size=100`, { headers })).text();
    };
    const first = await read();
    await expect.poll(read).not.toBe(first);
  });

  it('says that a port is in use', async () => {
    const { port } = new URL(sandbox.url);
    const { code, err } = await cli(['sandbox', '--port', port]);
    expect(code).toBe(2);
    expect(err).toContain(`Port ${port} of 127.0.0.1 is in use.`);
  });
});

describe('printed text', () => {
  it('fits the width of the terminal, whatever the values', async () => {
    for (const columns of [20, 40, 80, 200]) {
      const { code, out } = await cli(['tables', 'incidents'], { columns });
      expect(code).toBe(0);
      // The table begins with the rule below the heads.
      const table = out.slice(out.indexOf('─'));
      const longest = Math.max(...table.split('\n').map((line) => plain(line).length));
      expect(longest).toBeLessThanOrEqual(columns);
    }
  });

  it('is not cut if the output is not a terminal', async () => {
    const { out } = await cli(['tables']);
    for (const { name, description } of tables) {
      expect(out.split('\n').find((line) => line.startsWith(`${name} `))).toContain(description);
    }
  });

  it('does not let a value control the terminal or break a line', () => {
    expect(visible('a\nb\t\u001b[31mred\u0007')).toBe('a\\nb\\t\\u001b[31mred\\u0007');
  });

  it('leaves out columns that do not fit, and returns how many', () => {
    let out = '';
    const output = Object.assign(Object.create(null) as object, {
      isTTY: true,
      columns: 30,
      write: (text: string) => {
        out += text;
        return true;
      },
    }) as unknown as Parameters<typeof printTable>[0];
    const columns = Array.from({ length: 10 }, (_, i) => ({ head: `c${i}`, value: () => 'value' }));
    expect(printTable(output, [{}], columns)).toBe(7);
    expect(plain(out)).toContain('c2');
    expect(plain(out)).not.toContain('c3');
  });

  it('uses the plural of a noun if there are several', () => {
    expect([count(1, 'row'), count(2, 'row'), count(1234567)]).toEqual(['1 row', '2 rows', '1,234,567']);
  });

  it('of a wrong choice names the right ones, and the nearest if there is one', () => {
    const methods = ['full_refresh', 'incremental'];
    expect(choices('--sync-method', 'incremental', methods)).toBe('incremental');
    const choose = (value: string) => () => choices('--sync-method', value, methods);
    expect(choose('incrmental')).toThrow(UsageError);
    expect(choose('incrmental')).toThrow(/--sync-method.*"incrmental"/);
    expect(choose('incrmental')).toThrow(
      expect.objectContaining({ advice: expect.stringContaining('incremental?') as string }) as Error,
    );
    expect(choose('often')).toThrow(
      expect.objectContaining({ advice: 'Use full_refresh or incremental.' }) as Error,
    );
  });
});

/** Without the colours of a terminal. */
function plain(text: string): string {
  // Written as a number, because an escape character in the source would be invisible.
  return text.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '');
}
