import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Picture } from '../../src/console/contract/data.ts';
import { textOf } from '../../console/data/cell-text.ts';
import { hasBrowser, startWorld, type World } from './world.ts';

const hostile = '<img src="x" onerror="window.hacked = true">';
const linked = ['incidents', 'severities', 'users', 'alerts', 'alert_sources', 'escalations', 'follow_ups'];

describe.skipIf(!hasBrowser)('data in the browser', () => {
  let world: World;
  let id: string;
  beforeAll(async () => {
    world = await startWorld({
      sizes: { incidents: 400, alerts: 400, escalations: 100, follow_ups: 80, users: 20 },
      transform: (record, table) => (table === 'incidents' ? { ...record, name: hostile } : record),
    });
    id = await world.link(linked);
  });

  it('a title that is markup is shown as text', async () => {
    const page = await world.open(`#/sources/${id}/data/incidents`);
    await page.getByRole('cell', { name: hostile }).first().waitFor();
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
  });

  it('SQL: a result, a chart of it and its CSV; a mistake says what to do; nothing can be written', async () => {
    const page = await world.open(`#/sources/${id}/data`);
    const box = page.getByRole('textbox', { name: 'SQL' });
    await box.fill(
      'SELECT severity_id AS severity, count(*) AS incidents FROM incidents GROUP BY ALL ORDER BY ALL',
    );
    await box.press('Control+Enter');
    const result = page.getByRole('table', { name: 'Result' });
    await result.waitFor();
    const shown = await cellsOf(result);
    expect(shown.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(400);
    await page.getByText('Chart', { exact: true }).click();
    expect(await page.getByRole('img', { name: /^incidents by severity/ }).count()).toBe(1);

    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download CSV' }).click();
    const file = join(world.folder, 'downloaded.csv');
    await (await downloading).saveAs(file);
    const lines = (await readFile(file, 'utf8')).trim().split(/\r?\n/);
    expect(lines).toEqual([
      'severity,incidents',
      ...shown.map(([name, count]) => `${name === 'null' ? '' : name},${count}`),
    ]);

    await box.fill('FROM nothing_of_this_name');
    await box.press('Control+Enter');
    await page.getByRole('alert').filter({ hasText: 'nothing_of_this_name' }).waitFor();
    const target = join(world.folder, 'stolen.csv');
    await box.fill(`COPY incidents TO '${target}'`);
    await box.press('Control+Enter');
    await page.getByRole('alert').filter({ hasText: 'SELECT' }).waitFor();
    await expect(readFile(target)).rejects.toThrow('ENOENT');
  });

  it('pictures show the figures that their SQL returns', async () => {
    const { pictures } = await world.ask<'pictures'>('/api/pictures');
    expect(pictures.length).toBeGreaterThanOrEqual(6);
    const page = await world.open(`#/sources/${id}/pictures`);
    for (const picture of pictures) {
      const card = page.getByRole('region', { name: picture.title, exact: true });
      await card.scrollIntoViewIfNeeded();
      const expected = await figuresOf(world, id, picture);
      const shown = await shownFigures(card, picture);
      expect({ picture: picture.name, figures: shown }).toEqual({ picture: picture.name, figures: expected });
      expect({ picture: picture.name, isEmpty: shown.size === 0 }).toMatchObject({ isEmpty: false });
      if (picture.chart.kind === 'bar') await expectDrawn(card, expected);
    }
  });

  it('an older version shows the rows of that time', async () => {
    const page = await world.open(`#/sources/${id}/data/severities`);
    await page.getByRole('tab', { name: 'Versions' }).click();
    const versions = page.getByRole('table', { name: 'Versions of severities' });
    await versions.getByText('shown').waitFor();
    world.sandbox.change('severities', world.sandbox.idAt('severities', 0), { name: 'Renamed' });
    await world.ask<'act'>(`/api/sources/${id}/actions`, { action: 'trigger', tables: ['severities'] });
    const look = async () =>
      (await world.ask<'tableData'>(`/api/sources/${id}/data/severities`)).versions.length;
    await expect.poll(look).toBe(2);
    await page.reload();
    await page.getByRole('cell', { name: 'Renamed' }).waitFor();
    await page.getByRole('tab', { name: 'Versions' }).click();
    await versions.getByRole('button').click();
    await page.getByText('Rows as of version').waitFor();
    expect(await page.getByRole('cell', { name: 'Renamed' }).count()).toBe(0);
  });
});

/** The cells of a table's body, as text. */
async function cellsOf(table: Locator): Promise<string[][]> {
  const rows = await table.locator('tbody tr').all();
  return Promise.all(rows.map((row) => row.locator('th, td').allTextContents()));
}

/** The SQL's result by series and x value, requested in another way than the page does. */
async function figuresOf(world: World, id: string, { sql, chart }: Picture): Promise<Map<string, number>> {
  const { columns, rows } = await world.ask<'sql'>(`/api/sources/${id}/sql`, { sql });
  const at = (name: string | undefined) => columns.findIndex((column) => column.name === name);
  const isHeatmap = chart.kind === 'heatmap';
  const value = at(isHeatmap ? (chart.value ?? 'value') : chart.y);
  const series = isHeatmap ? at(chart.y) : at(chart.series);
  return new Map(
    rows.map((row) => {
      const name = series < 0 ? '' : `${textOf(row[series]!)} `;
      return [`${name}${textOf(row[at(chart.x)]!)}`, Number(row[value])];
    }),
  );
}

/** The same, as the page shows it. */
async function shownFigures(card: Locator, { chart }: Picture): Promise<Map<string, number>> {
  const isHeatmap = chart.kind === 'heatmap';
  if (!isHeatmap) await card.getByText('Figures', { exact: true }).click();
  const table = card.getByRole('table');
  await table.waitFor();
  const [, ...heads] = await table.locator('thead tr > *').allTextContents();
  const figures = new Map<string, number>();
  for (const [name, ...cells] of await cellsOf(table)) {
    for (const [index, cell] of cells.entries()) {
      if (cell === '' || cell === '–') continue;
      const head = heads[index]!;
      const key = isHeatmap ? `${name} ${head}` : chart.series === undefined ? name! : `${head} ${name}`;
      figures.set(key, Number(cell.replaceAll(',', '')));
    }
  }
  return figures;
}

/** The figures that the bars are drawn from, as the tooltip shows them in the middle of each bar. */
async function expectDrawn(card: Locator, expected: ReadonlyMap<string, number>): Promise<void> {
  const tip = card.locator('.tip');
  await card.locator('canvas').hover();
  await tip.waitFor();
  const name = (await tip.locator('strong').textContent())!;
  const said = (await tip.locator('span').textContent())!.replaceAll(',', '');
  expect(said).toContain(`: ${expected.get(name)} `);
}
