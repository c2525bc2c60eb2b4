/** Long-Invoke-Id-And-Priority, four octets: bits 0-23 id, 28 self-descriptive, 29 break on error, 30 confirmed, 31 high. */
export const longInvokeIdOf = (value: number): number => value & 0xff_ffff;
export const LONG_INVOKE = {
  selfDescriptive: 0x1000_0000,
  breakOnError: 0x2000_0000,
  confirmed: 0x4000_0000,
  highPriority: 0x8000_0000,
} as const;
