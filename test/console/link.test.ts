import { beforeAll, describe, expect, it } from 'vitest';
import { tableNamed } from '../../src/tables/index.ts';
import { hasBrowser, startWorld, type World } from './world.ts';

const linked = ['incidents', 'severities', 'users'];
/** What a key needs to read them. */
const scopes = linked.flatMap((name) => tableNamed(name).scope ?? []);

describe.skipIf(!hasBrowser)('linking in the browser', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ sizes: { incidents: 4_000, users: 20 } });
  });

  it('a wrong key, one without scopes, a good one; then tables, destination and an import that is watched to its end, through a reload', async () => {
    const { sandbox } = world;
    const page = await world.open();
    await page.getByRole('link', { name: 'New source' }).first().click();
    await page.getByRole('link', { name: 'Link incident.io' }).click();

    const key = page.getByLabel('API key', { exact: true });
    await key.fill('not-a-key');
    await page.getByRole('button', { name: 'Check the key' }).click();
    await page.getByRole('alert').getByText('Settings → API keys').waitFor();

    const weak = sandbox.addKey({ scopes: scopes.filter((scope) => scope !== tableNamed('users').scope) });
    await key.fill(weak);
    await page.getByRole('button', { name: 'Check the key' }).click();
    const missing = page.locator('.notice.warn').filter({ hasText: 'missing' });
    await missing.getByText(tableNamed('users').scope!).waitFor();
    // The key is nowhere on the page once it was checked.
    expect(await key.inputValue()).toBe('');

    sandbox.setScopes(weak, scopes);
    await missing.getByRole('button', { name: 'Check again' }).click();
    await missing.getByText(tableNamed('users').scope!).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Next' }).click();

    await page.getByRole('button', { name: 'None' }).click();
    expect(await page.getByRole('button', { name: 'Next' }).isDisabled()).toBe(true);
    for (const table of linked) await page.getByRole('checkbox', { name: new RegExp(`^${table} `) }).check();
    await page.getByLabel('Frequency of incidents').selectOption('30m');
    await page.getByText('First sync: ').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();

    await page.getByLabel('Name of the source').fill('acme');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Creates 3 schedules').waitFor();
    // Slow enough that the import outlasts the reload.
    sandbox.latencyMs = 1_000;
    await page.getByRole('button', { name: 'Import' }).click();

    const importing = page.getByRole('region', { name: 'Running now' });
    const incidents = importing.getByRole('listitem').filter({ hasText: 'incidents' });
    await incidents.getByText(/\d+ requests?/).waitFor();
    await page.reload();
    await incidents.getByText(/\d+ requests?/).waitFor();
    sandbox.latencyMs = 0;
    await importing.waitFor({ state: 'detached' });
    const rows = page.getByRole('table', { name: 'Tables of this source' }).getByRole('row');
    await rows.filter({ hasText: 'incidents' }).getByText('Current').waitFor();
    expect(await rows.filter({ hasText: 'incidents' }).textContent()).toMatch(/30 minutes.*4,000$/);
    expect(await world.settingsText('incident-io')).not.toContain(weak);
  });

  it('without the token of the address the page says how to get in, and shows nothing', async () => {
    const page = await world.open();
    const { origin } = new URL(world.url);
    await page.context().clearCookies();
    await page.goto(`${origin}/`);
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').textContent()).toContain('address');
    expect(await page.getByRole('link', { name: 'acme' }).count()).toBe(0);
  });
});
