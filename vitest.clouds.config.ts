import { defineConfig } from 'vitest/config';
import config from './vitest.config.ts';

// Run by hand: the emulators of the clouds take minutes to fetch and build.
export default defineConfig({
  test: {
    ...config.test,
    projects: [
      {
        extends: true,
        test: {
          name: 'clouds',
          include: ['test/clouds/**/*.test.ts'],
          globalSetup: ['test/global-setup.ts'],
        },
      },
    ],
  },
});
