import type { ReactNode } from 'react';

/**
 * A table that scrolls within itself, so that the page never does sideways. It takes the focus, since people without a
 * mouse scroll it by the arrow keys.
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
