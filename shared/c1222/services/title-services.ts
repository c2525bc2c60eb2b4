import { type Codec, sequence } from "../../wire/codec.ts";
import { ApTitle } from "../ap-title.ts";
import { shortOctets } from "./register.ts";

/** Body of Deregister (24), Resolve (25) and Trace (26): whom they are about. */
export const TitleRequest = sequence({ apTitle: ApTitle });
/** Answer to Resolve. */
export const ResolveOk = sequence({ nativeAddress: shortOctets("a native address") });

/** Titles to the end of the answer. */
export const titleList: Codec<readonly string[]> = {
  read: (source) => {
    const titles: string[] = [];
    while (source.remaining > 0) titles.push(ApTitle.read(source));
    return titles;
  },
  write: (target, titles) => {
    for (const title of titles) ApTitle.write(target, title);
  },
};
/** Answer to Trace: the way, relay by relay. */
export const TraceOk = sequence({ apTitles: titleList });
