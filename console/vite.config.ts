import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Everything that the page loads, compressed. */
const mostBytes = 300_000;

/** A page that has grown too large fails the build. */
function limitOfSize(): Plugin {
  return {
    name: 'limit-of-size',
    writeBundle(_options, bundle) {
      const bytes = Object.values(bundle)
        .map((file) => gzipSync(file.type === 'chunk' ? file.code : file.source).length)
        .reduce((sum, one) => sum + one, 0);
      this.info(`the page is ${Math.ceil(bytes / 1000)} kB, compressed`);
      if (bytes > mostBytes) this.error(`The page is ${bytes} bytes, compressed; at most ${mostBytes}.`);
    },
  };
}

export default defineConfig({
  // The console may be served below another path, behind a proxy.
  base: './',
  plugins: [react(), limitOfSize()],
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    target: 'es2023',
    // Inlining images into style sheets as data: URLs would need an exception in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // One file: it is loaded from this machine, and the limit above is for all of it.
    chunkSizeWarningLimit: 1_000,
  },
});
