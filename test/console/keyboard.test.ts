import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasBrowser, startWorld, type World } from './world.ts';

describe.skipIf(!hasBrowser)('with the keyboard alone', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ sizes: { incidents: 50, users: 10 } });
  });

  it('a source is linked and imported, and a dialog gives the focus back', async () => {
    const page = await world.open();
    await page.getByRole('heading', { name: 'Sources' }).waitFor();
    await press(page, 'New source', 'Enter');
    await press(page, /^Link/, 'Enter');
    // The demo fills in the key of its sandbox.
    await press(page, 'Check the key', 'Enter');
    await page.getByText('The key works.').waitFor();
    await press(page, 'Next', 'Enter');
    await press(page, 'None', 'Enter');
    await press(page, /^severities/, 'Space');
    await press(page, 'Next', 'Enter');
    await press(page, 'Next', 'Enter');
    await press(page, 'Import', 'Enter');
    await press(page, 'severities', 'Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => focused(page)).toBe('severities');
  });
});

/** Far more tab stops than any page here has. */
const mostStops = 150;

/** Tabs to the element with this name and presses a key there. The focused element must be visible. */
async function press(page: Page, name: string | RegExp, key: string): Promise<void> {
  await page
    .getByRole('button', { name })
    .or(page.getByRole('link', { name }))
    .or(page.getByRole('checkbox', { name }))
    .first()
    .waitFor();
  for (let stop = 0; stop < mostStops; stop++) {
    await page.keyboard.press('Tab');
    const text = await focused(page);
    if (!(typeof name === 'string' ? text === name : name.test(text))) continue;
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
    expect({ text, outline }).not.toEqual({ text, outline: 'none' });
    await page.keyboard.press(key);
    return;
  }
  throw new Error(`Tab never comes to ${String(name)}.`);
}

/** The text of the focused element, or of its label. */
async function focused(page: Page): Promise<string> {
  const text = await page.evaluate(
    '(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()',
  );
  return String(text);
}
