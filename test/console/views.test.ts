import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasBrowser, startWorld, type World } from './world.ts';

/** Tables of all groups that pictures need. */
const linked = ['incidents', 'severities', 'users', 'alerts', 'alert_sources', 'escalations', 'follow_ups'];
/** Where to put screenshots of the views, for people to look at. */
const shots = process.env['CONSOLE_SCREENSHOTS'];

/** For the browser only: it is not loaded here. */
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

type View = { readonly name: string; readonly at: string; readonly ready: (page: Page) => Promise<void> };

describe.skipIf(!hasBrowser)('the views', () => {
  let world: World;
  let views: readonly View[];
  beforeAll(async () => {
    world = await startWorld({
      sizes: { incidents: 400, alerts: 400, escalations: 100, follow_ups: 80, users: 20 },
    });
    views = viewsOf(await world.link(linked));
    if (shots !== undefined) await mkdir(shots, { recursive: true });
  });

  it.each([
    ['light', 1280],
    ['dark', 360],
  ] as const)(
    '%s, %i pixels: everybody can use them, and none scrolls sideways',
    async (colorScheme, width) => {
      const page = await world.open('', {
        colorScheme,
        viewport: { width, height: width > 400 ? 900 : 740 },
      });
      await page.context().addInitScript({ path: axe });
      const found: string[] = [];
      for (const { name, at, ready } of views) {
        await page.goto(`${new URL(world.url).origin}/${at}`);
        await page.reload();
        await ready(page);
        if (shots !== undefined) {
          await page.screenshot({ path: join(shots, `${name}-${width}-${colorScheme}.png`), fullPage: true });
        }
        found.push(...(await violations(page)).map((violation) => `${name}: ${violation}`));
        if (!(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))) {
          found.push(`${name}: it scrolls sideways`);
        }
      }
      expect(found).toEqual([]);
    },
  );
});

function viewsOf(id: string): readonly View[] {
  const source = `#/sources/${id}`;
  const see = (role: Parameters<Page['getByRole']>[0], name: string | RegExp) => async (page: Page) =>
    page.getByRole(role, { name }).first().waitFor();
  return [
    { name: 'sources', at: '#/', ready: see('link', /^acme-/) },
    { name: 'link', at: '#/new/incident-io', ready: see('button', 'Check the key') },
    {
      name: 'choose',
      at: '#/new/incident-io',
      ready: async (page) => {
        await page.getByRole('button', { name: 'Check the key' }).click();
        await page.getByRole('button', { name: 'Next' }).click();
        await page.getByText('First sync: ').waitFor();
      },
    },
    { name: 'tables', at: source, ready: see('table', 'Tables of this source') },
    {
      name: 'table',
      at: source,
      ready: async (page) => {
        await page.getByRole('button', { name: 'incidents', exact: true }).click();
        await page.getByRole('dialog').getByText('Columns kept').click();
      },
    },
    { name: 'runs', at: `${source}/runs`, ready: see('table', 'Runs') },
    { name: 'data', at: `${source}/data/incidents`, ready: see('table', 'Rows of incidents') },
    {
      name: 'sql',
      at: `${source}/data`,
      ready: async (page) => {
        await page
          .getByRole('textbox', { name: 'SQL' })
          .fill('SELECT status, count(*) AS n FROM alerts GROUP BY ALL');
        await page.getByRole('button', { name: 'Run' }).click();
        await page.getByText('Chart', { exact: true }).click();
      },
    },
    {
      name: 'pictures',
      at: `${source}/pictures`,
      ready: async (page) => {
        await page.locator('.picture').nth(5).waitFor();
        await page
          .getByRole('img', { name: /^Time to resolve/ })
          .first()
          .waitFor();
        await page.getByText('Loading').first().waitFor({ state: 'detached' });
      },
    },
    {
      name: 'health',
      at: `${source}/health`,
      ready: see('img', /^Requests per day/),
    },
  ];
}

/** What axe finds: rules with the elements that break them. */
async function violations(page: Page): Promise<string[]> {
  const found = (await page.evaluate('axe.run()')) as AxeResults;
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
