import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runTap } from '../../../src/platforms/singer/run-tap.ts';
import { idsOf, type Message, platformWorld, type PlatformWorld, type Row } from '../../helpers/platform.ts';

type Bookmarks = { readonly [stream: string]: { readonly [field: string]: unknown } };
type Tapped = {
  readonly code: number;
  readonly messages: readonly Message[];
  readonly log: string;
  readonly state: { readonly bookmarks: Bookmarks };
  readonly records: (stream: string) => Row[];
};

/** One run of the tap in this process. Fails if standard output holds anything but JSON. */
async function tap(world: PlatformWorld, names: readonly string[], state?: object): Promise<Tapped> {
  const streams = names.map((name) => ({
    tap_stream_id: name,
    metadata: [{ breadcrumb: [], metadata: { selected: true } }],
  }));
  const argv = ['--config', await world.file('config.json', world.config)];
  argv.push('--catalog', await world.file('catalog.json', { streams }));
  if (state) argv.push('--state', await world.file('state.json', state));
  let [out, log] = ['', ''];
  const into = (take: (text: string) => void) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        take(chunk.toString());
        done();
      },
    });
  const code = await runTap(argv, {
    stdout: into((text) => (out += text)),
    stderr: into((text) => (log += text)),
    signal: new AbortController().signal,
  });
  const messages = out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Message);
  const last = messages.filter(({ type }) => type === 'STATE').at(-1);
  const records = (stream: string) =>
    messages
      .filter((message) => message.type === 'RECORD' && message['stream'] === stream)
      .map(({ record }) => record as Row);
  return { code, messages, log, state: last?.['value'] as Tapped['state'], records };
}

const typesOf = ({ messages }: Tapped) => messages.map(({ type }) => type);
const versionsOf = ({ messages }: Tapped) => [
  ...new Set(messages.filter(({ type }) => type === 'RECORD').map(({ version }) => version)),
];

describe('the tap', () => {
  // Fails if a target would delete existing rows, keep deleted ones, or lose the last state.
  it('prints a table whole under a version, and then what has changed under the same', async () => {
    const world = await platformWorld(true);
    const first = await tap(world, ['severities', 'incidents']);
    expect(first.code).toBe(0);
    expect(typesOf(first)[0]).toBe('SCHEMA');
    expect(typesOf(first).at(-1)).toBe('STATE');
    expect(first.messages.filter(({ type }) => type === 'ACTIVATE_VERSION')).toHaveLength(2);
    expect(versionsOf(first)).toEqual([first.state.bookmarks['incidents']!['v_active']]);

    const [id] = idsOf(world.sandbox, 'incidents');
    world.sandbox.remove('incidents', id!);
    const second = await tap(world, ['incidents'], first.state);
    expect(second.records('incidents')).toMatchObject([{ id, name: null }]);
    expect(second.records('incidents')[0]!['_sdc_deleted_at']).not.toBeNull();
    expect(versionsOf(second)).toEqual(versionsOf(first));
    expect(typesOf(second)).not.toContain('ACTIVATE_VERSION');
    // Meltano replaces the whole state.
    expect(second.state.bookmarks['severities']).toEqual(first.state.bookmarks['severities']);
  });

  it('prints a table with deleted rows whole under a new version, if the target wants that', async () => {
    const kept = await platformWorld(true);
    const world = { ...kept, config: { ...kept.config, singer_deletes: 'snapshot' } };
    const first = await tap(world, ['incidents']);
    world.sandbox.remove('incidents', idsOf(world.sandbox, 'incidents')[0]!);
    const second = await tap(world, ['incidents'], first.state);
    expect(second.records('incidents')).toHaveLength(59);
    expect(second.records('incidents').every((row) => row['_sdc_deleted_at'] === null)).toBe(true);
    expect(versionsOf(second)).not.toEqual(versionsOf(first));
    expect(second.messages.find(({ type }) => type === 'ACTIVATE_VERSION')).toMatchObject({
      version: versionsOf(second)[0],
    });
  });

  it('prints a table whole if its tables are gone, and refuses the state of another account', async () => {
    const world = await platformWorld(true);
    const first = await tap(world, ['severities', 'incident_roles']);
    await rm(join(world.folder, 'warehouse'), { recursive: true });
    const { severities, incident_roles: roles } = first.state.bookmarks;
    const state = {
      bookmarks: { severities, incident_roles: { ...roles, account: 'https://app.incident.io/other' } },
    };
    const second = await tap(world, ['severities', 'incident_roles'], state);
    expect(second.code).toBe(1);
    expect(second.records('severities')).toHaveLength(first.records('severities').length);
    expect(second.log).toContain('CRITICAL incident_roles');
    expect(second.state.bookmarks['incident_roles']).toEqual(state.bookmarks.incident_roles);
  });

  it('prints whole tables without a place, and the changes of those that can be read by them', async () => {
    const world = await platformWorld(false);
    const first = await tap(world, ['severities', 'incidents']);
    const second = await tap(world, ['severities', 'incidents'], first.state);
    expect(second.records('severities')).toHaveLength(first.records('severities').length);
    expect(second.messages.filter(({ type }) => type === 'ACTIVATE_VERSION')).toMatchObject([
      { stream: 'severities' },
    ]);
    expect(second.records('incidents').length).toBeLessThan(20);
  });

  it('exits with 2 for wrong usage, without any standard output', async () => {
    let out = '';
    const stdout = new Writable({
      write(chunk: Buffer, _encoding, done) {
        out += chunk.toString();
        done();
      },
    });
    const stderr = new Writable({ write: (_chunk, _encoding, done) => done() });
    const { signal } = new AbortController();
    expect(await runTap(['--nonsense'], { stdout, stderr, signal })).toBe(2);
    expect(await runTap(['--config', '/nowhere.json'], { stdout, stderr, signal })).toBe(2);
    expect(out).toBe('');
  });
});
