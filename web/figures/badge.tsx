export type Tone = "good" | "warn" | "bad" | "calm" | "quiet";

/** Shapes that tell states apart without colour. */
const SHAPES = {
  tick: "M2 8.5 6 12.5 14 3.5",
  cross: "M3 3 13 13M13 3 3 13",
  clock: "M8 1.5a6.5 6.5 0 1 0 .01 0M8 4.5V8l3 2",
  ring: "M8 2a6 6 0 1 0 .01 0",
  dash: "M3 8H13",
  alert: "M8 2 15 14H1ZM8 6.5V9.5M8 11.8v.1",
  arrow: "M2 8H13M9 4l4 4-4 4",
} as const;
export type Shape = keyof typeof SHAPES;

export function Mark({ shape }: { readonly shape: Shape }) {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round">
      <path d={SHAPES[shape]} />
    </svg>
  );
}

/** A state: shape, word, and a colour that repeats them. */
export function Badge({ tone, shape, text }: { readonly tone: Tone; readonly shape: Shape; readonly text: string }) {
  return (
    <span className={`badge ${tone}`}>
      <Mark shape={shape} />
      {text}
    </span>
  );
}
