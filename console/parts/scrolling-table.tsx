import type { ReactNode } from 'react';

/**
 * A table that scrolls on its own, so that the page never scrolls sideways. It can have the focus, since people without
 * a mouse scroll it with the arrow keys.
 */
export function ScrollingTable({
  label,
  children,
  className = '',
}: {
  readonly label: string;
  readonly children: ReactNode;
  readonly className?: string;
}) {
  return (
    <div className={`scrolling ${className}`} role="region" aria-label={label} tabIndex={0}>
      <table aria-label={label}>{children}</table>
    </div>
  );
}
