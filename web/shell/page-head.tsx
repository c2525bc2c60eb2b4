import { type ReactNode, useEffect } from "react";

interface Props {
  readonly title: string;
  /** What is said under the title. */
  readonly about?: ReactNode;
  readonly children?: ReactNode;
}

/** Title and actions of a page. */
export function PageHead({ title, about, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Headrace`;
  }, [title]);
  return (
    <div className="head">
      <div>
        <h1>{title}</h1>
        {about !== undefined && <p>{about}</p>}
      </div>
      {children !== undefined && <div className="row">{children}</div>}
    </div>
  );
}
