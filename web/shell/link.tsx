import type { AnchorHTMLAttributes, MouseEvent } from "react";
import { goTo } from "./location.ts";

type Props = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href"> & { readonly to: string };

/** A link inside the console. A click with a modifier is the browser's: it opens a tab or a window as usual. */
export function Link({ to, ...rest }: Props) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    goTo(to);
  };
  return <a {...rest} href={to} onClick={follow} />;
}
