import { OUTCOMES, outcomeShares, outcomeText, type Progress } from "./outcome-counts.ts";

interface Props {
  readonly progress: Progress;
  /** What the progress is of. */
  readonly label: string;
}

/** The bar and, under it, the same in words. */
export function ProgressBar({ progress, label }: Props) {
  const { total, ended, share } = outcomeShares(progress);
  const text = outcomeText(progress);
  return (
    <div>
      <div
        className="progress"
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={ended}
        aria-valuetext={text}
      >
        {OUTCOMES.map((outcome) => (
          <span key={outcome} className={outcome} style={{ width: `${share[outcome]}%` }} />
        ))}
      </div>
      <div className="small muted">{text}</div>
    </div>
  );
}
