import { c1222Fuzzer } from "./c1222-fuzzer.ts";
import { dlmsFuzzer } from "./dlms-fuzzer.ts";
import type { Fuzzer } from "./fuzzer.ts";

/** By their names on the command line. */
export const FUZZERS: readonly Fuzzer[] = [dlmsFuzzer, c1222Fuzzer];
