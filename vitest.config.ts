import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    // Temporal's and DuckDB's native parts crash in worker threads.
    pool: 'forks',
    // By default one of two cores stays idle, while most of the tests' time is waiting.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A poll ends when what it waits for is there, however busy the machine.
    expect: { poll: { timeout: 30_000 } },
  },
});
