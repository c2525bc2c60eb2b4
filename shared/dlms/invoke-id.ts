/** Invoke-Id-And-Priority, one octet: bits 0-3 invoke id, bit 6 confirmed, bit 7 high priority. */
export const invokeIdAndPriority = (
  invokeId: number,
  options: { confirmed?: boolean; highPriority?: boolean } = {},
): number => (invokeId & 0x0f) | ((options.confirmed ?? true) ? 0x40 : 0) | ((options.highPriority ?? true) ? 0x80 : 0);

export const invokeIdOf = (octet: number): number => octet & 0x0f;
export const isConfirmed = (octet: number): boolean => (octet & 0x40) !== 0;
export const isHighPriority = (octet: number): boolean => (octet & 0x80) !== 0;
