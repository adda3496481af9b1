import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { checkedBaseUrl } from '../../../src/incident-io/base-url.ts';

describe('the base URL', () => {
  it.each([
    'http://example.com',
    'ftp://127.0.0.1',
    'incident.io',
    'http://127.0.0.1.example.com',
    'https://u:p@x.io',
    'https://x.io/?a=b',
    'https://x.io/#a',
  ])('cannot be %s', (url) => {
    expect(() => checkedBaseUrl(url)).toThrow(UsageError);
  });
  it.each(['https://api.incident.io', 'http://127.0.0.1:8080', 'http://localhost:1', 'http://[::1]:1'])(
    'can be %s',
    (url) => {
      expect(checkedBaseUrl(`${url}/`)).toBe(url);
    },
  );
});
