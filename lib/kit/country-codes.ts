/** Countries as people type them, two letters each between spaces, commas or semicolons: in capitals, each once. Null when one of them is not a code. */
export function readCountryCodes(typed: string): string[] | null {
  const codes = typed
    .toUpperCase()
    .split(/[\s,;]+/)
    .filter(Boolean)
  return codes.every((code) => /^[A-Z]{2}$/.test(code)) ? [...new Set(codes)] : null
}
