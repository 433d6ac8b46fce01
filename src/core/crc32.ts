/** CRC-32, by which leak scanners and people tell a whole key from a mistyped one. */

// The reflected polynomial of IEEE 802.3: https://www.rfc-editor.org/rfc/rfc1952#section-8
const polynomial = 0xedb88320;

/**
 * CRC-32 of an ASCII text, as an integer in [0, 2^32).
 *
 * @example crc32("123456789"); // 0xcbf43926
 */
export function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i++) {
    crc ^= text.charCodeAt(i);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (polynomial & -(crc & 1));
  }
  return ~crc >>> 0;
}
