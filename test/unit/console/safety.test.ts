import { expect, it } from 'vitest';
import { served } from './served.ts';

const json = { 'Content-Type': 'application/json' };

it('refuses API requests without a token: other users of the machine could read the tables', async () => {
  const { send, access } = await served();
  for (const headers of [
    {},
    { Authorization: 'Bearer wrong' },
    { Authorization: `Bearer ${access.cookie}` },
    { Cookie: `${access.cookieName}=wrong` },
    { Cookie: `${access.cookieName}=${access.token}` },
  ]) {
    const { status, text } = await send('/api/tables', { headers });
    expect([status, JSON.parse(text)]).toEqual([
      401,
      expect.objectContaining({ error: 'UnauthorizedError' }),
    ]);
  }
  expect((await send('/api/nowhere')).status).toBe(401);
  expect((await send('/api/tables', { headers: { Authorization: `Bearer ${access.token}` } })).status).toBe(
    200,
  );
});

it('exchanges the token for a cookie that scripts cannot read, and takes it out of the address', async () => {
  const { send, access, url } = await served();
  const { pathname, search } = new URL(url);
  const { status, headers } = await send(`${pathname}${search}`);
  expect(status).toBe(303);
  expect(headers['location']).toBe('/');
  expect(headers['cache-control']).toBe('no-store');
  const cookie = String(headers['set-cookie']);
  expect(cookie).toMatch(/; HttpOnly(;|$)/);
  expect(cookie).toMatch(/; SameSite=Strict(;|$)/);
  expect(cookie).not.toContain(access.token);
  const [pair] = cookie.split(';');
  expect((await send('/api/tables', { headers: { Cookie: pair! } })).status).toBe(200);
  expect((await send('/?token=wrong')).headers['set-cookie']).toBeUndefined();
});

it('answers only for names of this machine: a foreign page could point its own name here', async () => {
  const { send, access } = await served();
  const Authorization = `Bearer ${access.token}`;
  for (const Host of ['evil.example', 'evil.example:4680', '127.0.0.1.evil.example', '0.0.0.0']) {
    expect((await send('/api/tables', { headers: { Authorization, Host } })).status).toBe(403);
    expect((await send('/', { headers: { Host } })).status).toBe(403);
  }
  // A tunnel ends at another port.
  for (const Host of ['localhost:9000', '127.0.0.1:80', '[::1]:4680', 'LOCALHOST']) {
    expect((await send('/api/tables', { headers: { Authorization, Host } })).status).toBe(200);
  }
});

it('refuses requests from other pages, even of this machine: cookies are shared between its ports', async () => {
  const { send, access } = await served();
  const Cookie = `${access.cookieName}=${access.cookie}`;
  const Host = '127.0.0.1:4680';
  const own = 'http://127.0.0.1:4680';
  const post = (headers: { readonly [name: string]: string }) =>
    send('/api/link/none', { method: 'DELETE', headers: { Cookie, Host, ...headers } });
  for (const Origin of ['https://evil.example', 'http://127.0.0.1:9000', 'http://localhost:4680', 'null']) {
    expect((await post({ Origin })).status).toBe(403);
    expect((await send('/api/live', { headers: { Cookie, Host, Origin } })).status).toBe(403);
  }
  expect((await post({})).status).toBe(403);
  expect((await post({ Origin: own, 'Sec-Fetch-Site': 'same-site' })).status).toBe(403);
  expect(
    (await send('/api/live', { headers: { Cookie, Host, 'Sec-Fetch-Site': 'cross-site' } })).status,
  ).toBe(403);
  expect((await post({ Origin: own, 'Sec-Fetch-Site': 'same-origin' })).status).toBe(200);
});

it('only lets its own files run in the page, and no page frame it', async () => {
  const { send, access } = await served();
  for (const path of ['/', '/assets/page-1a2b.js', '/api/tables', '/api/nowhere']) {
    const { headers } = await send(path, { headers: { Authorization: `Bearer ${access.token}` } });
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
    const isKept = path.startsWith('/assets/');
    expect(String(headers['cache-control']).includes('no-store')).toBe(!isKept);
  }
});

it('serves the files of the page and no others', async () => {
  const { send } = await served();
  expect(await send('/')).toMatchObject({
    status: 200,
    text: expect.stringContaining('<title>page') as string,
  });
  expect((await send('/assets/page-1a2b.js')).headers['cache-control']).toContain('immutable');
  for (const path of [
    '/../outside.js',
    '/assets/../../outside.js',
    '/..%2foutside.js',
    '/%E0%A4%A',
    '/nothing.js',
  ]) {
    expect((await send(path)).text).not.toContain('not part of the page');
    expect((await send(path)).status).toBe(404);
  }
});

it('accepts only JSON that matches the contract, and never repeats its input', async () => {
  const { send, access, logged } = await served();
  const Authorization = `Bearer ${access.token}`;
  const key = 'inc_0123456789abcdef';
  const post = (body: string, headers: { readonly [name: string]: string } = json) =>
    send('/api/link', { method: 'POST', headers: { Authorization, ...headers }, body });
  const answers = [
    await post(JSON.stringify({ key }), { 'Content-Type': 'text/plain' }),
    await post(`{"key": "${key}"`),
    await post(JSON.stringify({ key: [key] })),
    await post(JSON.stringify({ key, [key]: true })),
    await post(JSON.stringify({ key: `${key} and more` })),
  ];
  for (const { status, text } of answers) {
    expect([status, JSON.parse(text)]).toEqual([400, expect.objectContaining({ error: 'UsageError' })]);
    expect(text).not.toContain(key);
  }
  expect((await post(JSON.stringify({ key: 'x'.repeat(2_000_000) }))).status).toBe(413);
  expect(logged()).not.toContain(key);
});

it('listens only on loopback, unless a proxy with TLS is in front', async () => {
  for (const listen of [
    '0.0.0.0:0',
    '192.0.2.1:0',
    '[::]:0',
    'example.com:0',
    'nonsense',
    '127.0.0.1:99999',
  ]) {
    await expect(served({ listen })).rejects.toMatchObject({ name: 'UsageError' });
  }
  for (const behindProxy of ['http://console.example.com', 'https://console.example.com/path', 'nonsense']) {
    await expect(served({ listen: '127.0.0.1:0', behindProxy })).rejects.toMatchObject({
      name: 'UsageError',
    });
  }
  await expect(served({ listen: '[::1]:0' })).resolves.toBeDefined();
});

it('behind a proxy, knows the address that people open, and sends its cookie only there', async () => {
  const behindProxy = 'https://console.example.com';
  const { access, url, send } = await served({ listen: '127.0.0.1:0', behindProxy });
  expect(url).toBe(`${behindProxy}/?token=${access.token}`);
  const Host = 'console.example.com';
  const { headers } = await send(`/?token=${access.token}`, { headers: { Host } });
  expect(String(headers['set-cookie'])).toMatch(/; Secure(;|$)/);
  const asked = async (Origin: string) => {
    const Cookie = `${access.cookieName}=${access.cookie}`;
    return (await send('/api/tables', { headers: { Cookie, Host, Origin } })).status;
  };
  expect(await asked(behindProxy)).toBe(200);
  expect(await asked('https://evil.example')).toBe(403);
});
