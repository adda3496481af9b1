/** The point of the chart under the pointer. */
export type Pointed = {
  readonly x: number;
  readonly y: number;
  readonly title: string;
  readonly lines: readonly { readonly name: string; readonly value: number }[];
};

/** The figures at that point. */
export function Tip({
  pointed,
  text,
}: {
  readonly pointed: Pointed;
  readonly text: (value: number) => string;
}) {
  const { x, y, title, lines } = pointed;
  return (
    // Set by the page's own code, which the content security policy allows.
    <div className="tip" style={{ left: x, top: y }} aria-hidden="true">
      <strong>{title}</strong>
      {lines.map(({ name, value }) => (
        <span key={name}>
          {name}: {text(value)}
        </span>
      ))}
    </div>
  );
}
