import { useMemo, useSyncExternalStore } from 'react';

/** As many colours as people can tell apart; further series start again with the first. */
export const colours = 8;

const dark = () => matchMedia('(prefers-color-scheme: dark)');

/** The colours of the style sheet, for the canvas. They change with the system's colour scheme. */
export function usePalette() {
  const isDark = useSyncExternalStore(listen, () => dark().matches);
  // A new object only if the scheme changes, because a new object redraws the charts.
  return useMemo(() => paletteOf(isDark), [isDark]);
}

function paletteOf(isDark: boolean) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    isDark,
    text: colour('muted'),
    line: colour('line'),
    series: Array.from({ length: colours }, (_, index) => colour(`series-${index + 1}`)),
  };
}

function listen(changed: () => void): () => void {
  const query = dark();
  query.addEventListener('change', changed);
  return () => query.removeEventListener('change', changed);
}
