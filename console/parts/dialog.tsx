import { Dialog as Base } from '@base-ui/react/dialog';
import type { ReactNode } from 'react';

/** A dialog: it keeps the focus while it is open, Escape closes it, and the focus then returns to where it was. */
export function Dialog({
  title,
  wide = false,
  close,
  children,
}: {
  readonly title: string;
  readonly wide?: boolean;
  readonly close: () => void;
  readonly children: ReactNode;
}) {
  return (
    <Base.Root open onOpenChange={(open) => !open && close()}>
      <Base.Portal>
        <Base.Backdrop className="backdrop" />
        <Base.Popup className={`dialog ${wide ? 'wide' : ''}`}>
          <div className="dialog-head">
            <Base.Title className="dialog-title">{title}</Base.Title>
            <Base.Close className="button quiet icon" aria-label="Close">
              <span aria-hidden="true">✕</span>
            </Base.Close>
          </div>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
