import { useMemo, useSyncExternalStore } from 'react';

/** As many colours as people tell apart; a further series takes the first again. */
export const colours = 8;

const dark = () => matchMedia('(prefers-color-scheme: dark)');

/** The colours of the style sheet, for the canvas. They change with the scheme of the system. */
export function usePalette() {
  const isDark = useSyncExternalStore(listen, () => dark().matches);
  // Read again only with the scheme: a chart is drawn again whenever this is another object.
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
