import { dlmsFuzzer } from "./dlms-fuzzer.ts";
import type { Fuzzer } from "./fuzzer.ts";

/** By their names on the command line. */
export const FUZZERS: readonly Fuzzer[] = [dlmsFuzzer];
