import type { Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { sandboxTables } from '../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../src/tables/index.ts';
import { hasBrowser, startWorld, type World } from './world.ts';

const linked = ['incidents', 'severities', 'users'];

describe.skipIf(!hasBrowser)('a connection in the browser', () => {
  let world: World;
  let id: string;
  beforeAll(async () => {
    world = await startWorld({ sizes: { incidents: 200, users: 20 } });
    id = await world.link(linked);
  });

  const openSource = () => world.open(`#/sources/${id}`);
  const rowOf = (page: Page, table: string): Locator =>
    page.getByRole('table', { name: 'Tables of this source' }).getByRole('row').filter({ hasText: table });
  const dialogOf = async (page: Page, table: string): Promise<Locator> => {
    await page.getByRole('button', { name: table, exact: true }).click();
    return page.getByRole('dialog');
  };

  it('a changed frequency is shown as a difference of the file, and written only after that', async () => {
    const before = await world.settingsText(id);
    const page = await openSource();
    const dialog = await dialogOf(page, 'severities');
    await dialog.getByLabel('Frequency').selectOption('1h');
    await dialog.getByRole('button', { name: 'Show the difference' }).click();
    await dialog.locator('del').getByText('"every": "6h"').waitFor();
    await dialog.locator('ins').getByText('"every": "1h"').waitFor();
    expect(await world.settingsText(id)).toBe(before);
    await dialog.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('The settings are changed.').waitFor();
    await rowOf(page, 'severities').getByText('Every hour').waitFor();
    expect(JSON.parse(await world.settingsText(id))).toMatchObject({
      tables: { severities: { every: '1h' } },
    });
  });

  it('a pause in one tab shows in another, with its reason', async () => {
    const page = await openSource();
    const other = await page.context().newPage();
    world.watch(other);
    await other.goto(`${new URL(world.url).origin}/#/sources/${id}`);
    await rowOf(other, 'users').getByText('Current').waitFor();
    const dialog = await dialogOf(page, 'users');
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await dialog.getByLabel('Why (optional)').fill('the directory moves');
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await rowOf(other, 'users').locator('.badge').getByText('Paused').waitFor();
    expect(await (await dialogOf(other, 'users')).textContent()).toContain('the directory moves');
    await world.ask<'act'>(`/api/sources/${id}/actions`, { action: 'resume', tables: ['users'] });
    await rowOf(page, 'users').getByText('Current').waitFor();
  });

  it('a run in progress is cancelled only after the page has said what that does', async () => {
    const { sandbox } = world;
    const page = await openSource();
    await rowOf(page, 'incidents').waitFor();
    // Long enough for two dialogs on a busy machine.
    sandbox.latencyMs = 8_000;
    await (await dialogOf(page, 'incidents')).getByRole('button', { name: 'Sync now' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Sync now' }).click();
    await page.getByRole('region', { name: 'Running now' }).waitFor();
    await (await dialogOf(page, 'incidents')).getByRole('button', { name: 'Cancel run' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel run' }).click();
    await page.getByText('Cancelled: incidents.').waitFor();
    sandbox.latencyMs = 0;
    await rowOf(page, 'incidents').getByText('Cancelled').waitFor();
    const { runs } = await world.ask<'runs'>(`/api/sources/${id}/runs?table=incidents`);
    expect(runs.map(({ outcome }) => outcome)).toEqual(['cancelled', 'synced']);
  });

  it('a table that fails comes first and says what to do; its run says so too', async () => {
    const { sandbox } = world;
    const { scope } = tableNamed('users');
    const scopes = sandboxTables.flatMap((name) => tableNamed(name).scope ?? []);
    sandbox.setScopes(
      sandbox.key,
      scopes.filter((one) => one !== scope),
    );
    const page = await openSource();
    await world.ask<'act'>(`/api/sources/${id}/actions`, { action: 'trigger', tables: ['users'] });
    const notice = page.locator('.notice.bad').filter({ hasText: 'users' });
    await notice.getByText(scope!).first().waitFor();
    const first = page.getByRole('table', { name: 'Tables of this source' }).getByRole('row').nth(1);
    expect(await first.textContent()).toMatch(/^usersFailing/);
    await page.getByRole('link', { name: 'Runs' }).click();
    const run = page.getByRole('table', { name: 'Runs' }).getByRole('row').filter({ hasText: 'Failed' });
    await run.getByText(scope!).first().waitFor();
    sandbox.setScopes(sandbox.key, scopes);
  });

  it('removing a source first names the files that will be deleted', async () => {
    const page = await openSource();
    await page.getByRole('button', { name: 'Remove' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(`${id}.json`).first().waitFor();
    expect(await world.settingsText(id)).toContain('severities');
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page
      .getByRole('heading', { name: 'No source is linked yet.' })
      .or(page.locator('.empty'))
      .waitFor();
    await expect(world.settingsText(id)).rejects.toThrow('ENOENT');
  });
});
