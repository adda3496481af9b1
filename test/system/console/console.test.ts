import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { SourceDetail } from '../../../src/console/contract/sources.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { tables } from '../../../src/tables/index.ts';
import { connectToTestServer, unique } from '../../helpers/temporal.ts';
import { openConsole, Refused } from './opened.ts';

const temporal = await connectToTestServer();

const key = 'inc_5f1c3a77e0d94b21';
const hostile = '<img src=x onerror="alert(1)">';

/** A refusal with this status and class. */
const refused = (status: number, error: string) =>
  expect.objectContaining({ status, problem: expect.objectContaining({ error }) as unknown }) as Refused;

const tableOf = ({ tables: all }: SourceDetail, name: string) => all.find(({ table }) => table === name)!;

async function smallAccount() {
  const sandbox = await startSandbox({
    limits: 'off',
    key: { key },
    sizes: { incidents: 1_000, users: 20, alerts: 0, escalations: 0, follow_ups: 0, incident_updates: 0 },
  });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

const full = { syncMethod: 'full_refresh', every: '6h' } as const;
const chosen = {
  incidents: { ...full, nested: false },
  severities: full,
  users: { ...full, nested: false },
};

it(
  'links an account, imports it live, changes it, answers questions about it and unlinks it; the key never comes out',
  { timeout: 300_000 },
  async () => {
    const sandbox = await smallAccount();
    const { folder, said, ask, follow } = await openConsole(temporal);
    const connection = unique('console');
    expect((await ask('sources')).sources).toEqual([]);

    // A wrong key, one that lacks scopes, and the same one once they were granted.
    const baseUrl = sandbox.url;
    await expect(ask('checkKey', {}, { key: 'inc_wrong', baseUrl })).rejects.toEqual(
      refused(422, 'CredentialsError'),
    );
    const scopes = [...new Set(tables.flatMap(({ scope }) => scope ?? []))];
    sandbox.setScopes(
      key,
      scopes.filter((scope) => scope !== 'incidents.view'),
    );
    const lacking = await ask('checkKey', {}, { key, baseUrl });
    expect(lacking.account).toBe('https://app.incident.io/sandbox');
    expect(lacking.missingScopes).toContainEqual({
      scope: 'incidents.view',
      tables: expect.arrayContaining(['incidents']) as string[],
    });
    expect(lacking.suggested).not.toContain('incidents');
    const { draft } = lacking;
    const destination = join(folder, 'warehouse');
    const request = { connection, destination, tables: chosen };
    await expect(ask('planLink', { draft }, request)).rejects.toEqual(refused(400, 'UsageError'));
    sandbox.setScopes(key, scopes);
    const checked = await ask('checkAgain', { draft });
    expect(checked.missingScopes).toEqual([]);
    expect(checked.suggested).toContain('incidents');
    expect(await ask('estimate', { draft }, { tables: Object.keys(chosen) })).toMatchObject({ fullRead: 7 });

    // A destination that is a file, and one that can be written to.
    await writeFile(join(folder, 'a-file'), '');
    await expect(
      ask('checkDestination', { draft }, { destination: join(folder, 'a-file') }),
    ).rejects.toBeInstanceOf(Refused);
    expect(await ask('checkDestination', { draft }, { destination })).toEqual({ destination, tables: [] });

    const plan = await ask('planLink', { draft }, request);
    expect(plan.changes.map(({ table, change }) => [table, change])).toEqual(
      Object.keys(chosen).map((table) => [table, 'create']),
    );
    expect(await readdir(join(folder, 'settings'))).toEqual([]);
    // Slow enough to be watched.
    sandbox.latencyMs = 2_000;
    sandbox.change('incidents', sandbox.idAt('incidents', 0), { name: hostile });
    const { id } = await ask('link', { draft }, request);
    await expect(ask('planLink', { draft }, request)).rejects.toEqual(refused(400, 'UsageError'));
    const keyFile = join(folder, 'config', 'incident-io-source', `${connection}.key`);
    expect(await readFile(keyFile, 'utf8')).toBe(`${key}\n`);
    expect((await stat(keyFile)).mode & 0o077).toBe(0);
    expect(await readFile(plan.file, 'utf8')).toBe(plan.text);

    // Live, to the end; a page that is opened in between gets the state at once.
    // After a few seconds, it can say how far it is.
    const isReading = (state: SourceDetail) => tableOf(state, 'incidents').run?.estimate !== undefined;
    const reading = (await follow('sourceLive', { id }, isReading)).at(-1)!;
    expect(tableOf(reading, 'incidents')).toMatchObject({
      state: 'first_sync',
      // The API does not count the rows that it hides unless asked.
      run: {
        fullRead: true,
        workerAnswers: true,
        estimate: { by: 'rows', done: expect.any(Number) as number, of: expect.any(Number) as number },
      },
    });
    const [reloaded] = await follow('sourceLive', { id }, () => true);
    expect(reloaded.tables).toHaveLength(3);
    sandbox.latencyMs = 0;
    const isCurrent = (state: SourceDetail) =>
      state.tables.every((table) => table.state === 'current' && !table.run);
    const imported = (await follow('sourceLive', { id }, isCurrent)).at(-1)!;
    expect(imported.account).toBe('https://app.incident.io/sandbox');
    expect(tableOf(imported, 'incidents')).toMatchObject({ rows: 1_000, lastRun: { outcome: 'synced' } });
    expect((await ask('sources')).sources).toMatchObject([{ id, connection, state: 'current' }]);

    // Reading: SQL, untrusted text unchanged, pictures, runs, health.
    const byName = await ask('sql', { id }, { sql: `SELECT name FROM incidents WHERE name LIKE '<img%'` });
    expect(byName.rows).toEqual([[hostile]]);
    const { columns, rows, newest } = await ask('tableData', { id, table: 'incidents', limit: 3 });
    expect(rows).toHaveLength(3);
    expect(columns.find(({ name }) => name === 'summary')).toMatchObject({ personal: true });
    const picture = await ask('picture', { id, name: 'time_to_resolve_by_severity' });
    expect(picture.result?.rows.length).toBeGreaterThan(1);
    expect(await ask('picture', { id, name: 'alerts_over_time' })).toMatchObject({ missing: ['alerts'] });
    const history = await ask('runs', { id, table: 'incidents' });
    expect(history.runs).toMatchObject([{ outcome: 'synced', rows: 1_000, fullRead: true }]);
    expect((await ask('health', { id })).days).toMatchObject([{ runs: 3, failed: 0 }]);

    // A change is shown before it is made, and refused if the file has changed meanwhile.
    const change = { tables: { users: { ...chosen.users, every: '1h' } } } as const;
    const difference = await ask('planChange', { id }, change);
    expect(difference.lines.filter(({ kind }) => kind !== 'same')).toEqual([
      { kind: 'removed', text: expect.stringContaining('"6h"') as string },
      { kind: 'added', text: expect.stringContaining('"1h"') as string },
    ]);
    expect(difference.changes).toEqual([{ table: 'users', change: 'update', what: 'every: 6h → 1h' }]);
    await expect(ask('change', { id }, { ...change, seen: 'another' })).rejects.toEqual(
      refused(400, 'UsageError'),
    );
    await ask('change', { id }, { ...change, seen: difference.seen });
    expect(await readFile(plan.file, 'utf8')).toContain('"every": "1h"');
    expect((await ask('planChange', { id }, change)).changes).toEqual([]);

    // A table that fails, with advice; the others stay as they are.
    sandbox.fault({ table: 'users', fault: { kind: 'error', status: 403 } });
    await ask('act', { id }, { action: 'trigger', tables: ['users'] });
    const failing = (
      await follow('sourceLive', { id }, (state) => tableOf(state, 'users').state === 'failing')
    ).at(-1)!;
    expect(tableOf(failing, 'users')).toMatchObject({
      error: 'PermissionError',
      advice: expect.any(String) as string,
    });
    expect(tableOf(failing, 'severities').state).toBe('current');

    // Cancelled in the middle; and the table as of an older version.
    sandbox.latencyMs = 4_000;
    sandbox.change('incidents', sandbox.idAt('incidents', 0), { name: 'harmless' });
    const preview = await ask('previewAction', { id }, { action: 'resync', tables: ['incidents'] });
    expect(preview).toMatchObject({ careful: true, tables: ['incidents'] });
    await ask('act', { id }, { action: 'resync', tables: ['incidents'] });
    await follow('sourceLive', { id }, (state) => tableOf(state, 'incidents').run !== undefined);
    const cancelled = await ask('act', { id }, { action: 'cancel', tables: ['incidents'] });
    expect(cancelled.outcomes).toEqual([{ table: 'incidents', done: 'cancelled' }]);
    sandbox.latencyMs = 0;
    await ask('act', { id }, { action: 'trigger', tables: ['incidents'] });
    await expect
      .poll(async () => (await ask('tableData', { id, table: 'incidents' })).newest)
      .toBeGreaterThan(newest + 1);
    const sql = `SELECT count(*) FROM incidents WHERE name LIKE '<img%'`;
    expect((await ask('sql', { id }, { sql })).rows).toEqual([[0]]);
    expect((await ask('sql', { id }, { sql, versions: { incidents: newest } })).rows).toEqual([[1]]);

    // Paused and resumed; then the end.
    await ask('act', { id }, { action: 'pause', tables: ['severities'], note: 'a test' });
    expect(tableOf(await ask('source', { id }), 'severities')).toMatchObject({
      schedule: 'paused',
      note: 'a test',
    });
    await ask('act', { id }, { action: 'resume', tables: ['severities'] });
    expect(await ask('previewAction', { id }, { action: 'unlink' })).toMatchObject({
      careful: true,
      files: [plan.file, keyFile],
    });
    await ask('act', { id }, { action: 'unlink' });
    expect([existsSync(plan.file), existsSync(keyFile), existsSync(join(destination, 'incidents'))]).toEqual([
      false,
      false,
      true,
    ]);
    await expect(ask('source', { id })).rejects.toEqual(refused(400, 'UsageError'));
    expect(said.join('\n')).not.toContain(key);
  },
);
