import { AP_TITLE_ROOT, absoluteTitle } from "./ap-title.ts";

/** Arcs after the C12.22 root; undefined: a title of another root, in which a zero means nothing. */
function relativeArcs(title: string): readonly string[] | undefined {
  const absolute = absoluteTitle(title);
  return absolute.startsWith(`${AP_TITLE_ROOT}.`) ? absolute.slice(AP_TITLE_ROOT.length + 1).split(".") : undefined;
}

/**
 * What a title is by its arcs. `broadcast`: the last arc is 0, all nodes below what stands before it are meant;
 * `multicast`: an arc 0 elsewhere, the members of that group are meant. Titles of other roots end in 0 as they like.
 */
export function titleKind(title: string): "node" | "broadcast" | "multicast" {
  const arcs = relativeArcs(title) ?? [];
  if (arcs.at(-1) === "0") return "broadcast";
  return arcs.includes("0") ? "multicast" : "node";
}

/** Who is meant by a called title, from one node's point of view. */
export function addressedAs(
  called: string,
  { apTitle, groups }: { readonly apTitle: string; readonly groups: readonly string[] },
): "node" | "group" | undefined {
  const title = absoluteTitle(called);
  if (title === absoluteTitle(apTitle)) return "node"; // first of all: a node's own title may end in 0
  if (groups.some((group) => absoluteTitle(group) === title)) return "group";
  if (titleKind(title) !== "broadcast") return undefined;
  return `${absoluteTitle(apTitle)}.`.startsWith(title.slice(0, -1)) ? "group" : undefined;
}
