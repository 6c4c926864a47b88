/**
 * A cell of a CSV file (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe before it: what others typed must
 * not run on the machine of whoever opens the file.
 */
export function csvCell(text: string): string {
  const safe = isFormula(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Whether a spreadsheet would take a text for a formula, so that its cell gets an apostrophe that is no part of it. */
export function isFormula(text: string): boolean {
  return /^[=+\-@\t\r\n]/.test(text)
}
