import { describe, expect, it } from 'vitest';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { resultOf, worldOf } from '../../helpers/one-table.ts';
import { expectKept, serve } from '../../helpers/sent-values.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

const sizes = { incidents: 60, incident_updates: 0, follow_ups: 0, alerts: 120, escalations: 0, users: 5 };

describe('a field that appears later', () => {
  it('is in every row after the next run at the latest, because that run reads everything again', async () => {
    const { sandbox, destination, run } = await worldOf(temporal, { sizes });
    const runIncidents = async () => resultOf(await run({ table: 'incidents' }));
    await runIncidents();
    const sent = serve(sandbox, 'incidents', []);
    for (const [id, fields] of sent) sent.set(id, [...fields, ['extra', '"new"'], ['nested', '{"a":1}']]);
    const id = sandbox.idAt('incidents', 3);
    sandbox.change('incidents', id, {});

    // Only the changed row has it, so the table must not count as complete.
    const second = await runIncidents();
    expect(second).toMatchObject({ fullRead: false, changes: { columnsAdded: ['extra', 'nested'] } });
    expect(second).not.toHaveProperty('watermark');

    expect(await runIncidents()).toMatchObject({
      fullRead: true,
      reason: expect.stringContaining('no watermark') as string,
    });
    await expectKept(destination, 'incidents', sent);
    expect((await runIncidents()).fullRead).toBe(false);
  });
});

describe('drift', () => {
  it('of types, values and required fields does not fail a run, loses nothing and is reported', async () => {
    const { sandbox, destination, run } = await worldOf(temporal, { sizes });
    const runIncidents = async () => resultOf(await run({ table: 'incidents' }));
    expect((await runIncidents()).notes).toEqual([]);
    const [number, value, absent, empty] = [3, 7, 11, 15].map((index) => sandbox.idAt('incidents', index));
    const sent = serve(sandbox, 'incidents', []);
    const replace = (id: string, field: string, json?: string) => {
      const others = sent.get(id)!.filter(([name]) => name !== field);
      sent.set(id, json === undefined ? others : [...others, [field, json]]);
      sandbox.change('incidents', id, {});
    };
    replace(number!, 'name', '5');
    replace(value!, 'mode', '"a new one"');
    replace(absent!, 'reference');
    replace(empty!, 'reference', 'null');
    for (const id of [number!, value!]) replace(id, 'visibility', '""');

    const second = await runIncidents();
    expect(second).toMatchObject({ fullRead: false, changes: { columnsAdded: ['name__raw'] } });
    // Nothing is left unread: only an unknown field makes a run incomplete.
    expect(second).toHaveProperty('watermark');
    expect(second.notes).toHaveLength(2);
    expect(second.notes[0]).toMatch(new RegExp(`^2 rows .*\\breference\\b.*\\b(${absent}|${empty})$`));
    expect(second.notes[1]).toContain('name__raw');
    await expectKept(destination, 'incidents', sent);
  });
});
