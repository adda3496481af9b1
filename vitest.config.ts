import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      // Loading the program for each file took longer than the tests. Those that replace modules are among the others.
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false } },
      // These need a Temporal server, and some of them Python or Go: see the setup.
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          globalSetup: ['test/global-setup.ts'],
          setupFiles: ['test/own-host.ts'],
        },
      },
      // These need a Temporal server and Chromium, without which they are skipped.
      {
        extends: true,
        test: {
          name: 'console',
          include: ['test/console/**/*.test.ts'],
          globalSetup: ['test/console/setup.ts'],
          setupFiles: ['test/own-host.ts'],
        },
      },
      // These install Airbyte's and Singer's programs, which takes minutes and a gigabyte: `npm run test:platforms`.
      ...(process.env['TEST_PLATFORMS'] === undefined
        ? []
        : [
            {
              extends: true as const,
              test: {
                name: 'platforms',
                include: ['test/platforms/**/*.test.ts'],
                globalSetup: ['test/platforms/setup.ts'],
                testTimeout: 900_000,
              },
            },
          ]),
    ],
    // Temporal's and DuckDB's native parts crash in worker threads.
    pool: 'forks',
    // By default one of two cores stays idle. One more than cores, because most of the tests' time is waiting.
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 240_000,
    // A poll ends when what it waits for is there, however busy the machine.
    expect: { poll: { timeout: 60_000 } },
  },
});
